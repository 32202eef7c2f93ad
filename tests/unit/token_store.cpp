// What the library's own stores promise alike.
#include "../token_store_contract.hpp"

#include <connectid/auth/file_token_store.hpp>

namespace connectid::auth {
namespace {

const StoreKind memory{
    "memory", [](const TemporaryFolder&) { return [store = std::make_shared<MemoryTokenStore>()] { return store; }; }};
const StoreKind file{"file", [](const TemporaryFolder& folder) {
                       return [path = folder / "tokens"] { return std::make_shared<FileTokenStore>(path); };
                     }};

CONNECTID_TOKEN_STORE_CONTRACT(memory, file);

}  // namespace
}  // namespace connectid::auth
