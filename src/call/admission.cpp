#include "call/admission.hpp"

#include <utility>

namespace connectid::inline v0::detail {

Action Admission::next(Exchange& exchange, Event event, Now now) {
  for (;;) {
    Step step = exchange.next(std::move(event), now);
    if (step.lesson) learn(*step.lesson, now.steady);
    const auto* wait = std::get_if<Wait>(&step.action);
    if (std::holds_alternative<Reserve>(step.action)) {
      event = reserve(now.steady);
    } else if (wait && !may_begin(*wait)) {
      event = NoRepeatLeft{};
    } else {
      if (std::holds_alternative<Done>(step.action)) give_back();
      return std::move(step.action);
    }
  }
}

void Admission::learn(const Lesson& lesson, TimePoint now) {
  passage_.ended(lesson.health, lesson.ended, now);
  if (lesson.gives_back) shared_.budget.give_back_a_tenth();
  if (lesson.allowance) shared_.limiter.learn(*lesson.allowance, now);
}

Event Admission::reserve(TimePoint now) {
  if (auto circuit = passage_.ask(now)) return *std::move(circuit);
  const TimePoint at = reservation_.ask(now);
  if (at > now) return Reserved{at};
  return Admitted{shared_.random()};
}

void Admission::give_back() {
  passage_.give_back();
  reservation_ = Reservation(shared_.limiter);
}

}  // namespace connectid::inline v0::detail
