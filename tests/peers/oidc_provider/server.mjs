// server.mjs PORT: npm's oidc-provider under /oauth/token, and beside it the API that takes its access tokens.
//   POST /log_in?client=ID&account=NAME  a refresh token, as if this customer had just logged in
//   GET /counts                          what happened so far
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const counts = { refreshes: 0, reused_refresh_tokens: 0, starts: 0, refused_starts: 0 };

const client = (name, method) => ({
  client_id: name,
  client_secret: 'canary +:%&=?/"secret',
  token_endpoint_auth_method: method,
  grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  redirect_uris: ['https://shop.example/callback'],
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client('by basic', 'client_secret_basic'), client('by body', 'client_secret_post')],
  routes: { token: '/oauth/token' },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  clockTolerance: 0, // it lets expired access tokens in for 15 s more by default
  ttl: { AccessToken: 6, ClientCredentials: 6, IdToken: 6, Grant: 3600, RefreshToken: 3600 },
});
provider.on('grant.success', (context) => {
  if (context.oidc.params.grant_type === 'refresh_token') ++counts.refreshes;
});
provider.on('grant.error', (context, error) => {
  if (error.error_detail === 'refresh token already used') ++counts.reused_refresh_tokens;
});

async function logIn(query) {
  const of = { accountId: query.get('account'), clientId: query.get('client') };
  const scope = 'openid offline_access';
  const grant = new provider.Grant(of);
  grant.addOIDCScope(scope);
  const client = await provider.Client.find(of.clientId);
  const gty = 'authorization_code';
  return new provider.RefreshToken({ ...of, client, gty, scope, grantId: await grant.save() }).save();
}

async function start(request, response) {
  for await (const _ of request); // all of the body, so that the connection can be used again
  const token = request.headers.authorization?.replace(/^Bearer /, '');
  const known = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  ++counts[known ? 'starts' : 'refused_starts'];
  if (!known) response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' });
  response.end(JSON.stringify(known ? { status: 'OK' } : { error: 'invalid_token' }));
}

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, provider.issuer);
  if (pathname === '/oauth/token') return provider.callback()(request, response);
  response.setHeader('Content-Type', 'application/json');
  if (pathname === '/v1/subscription') return start(request, response);
  if (pathname === '/log_in') return response.end(await logIn(searchParams));
  if (pathname === '/counts') return response.end(JSON.stringify(counts));
  return response.writeHead(404).end();
}).listen(port, '127.0.0.1');
