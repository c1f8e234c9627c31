import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { fakeEngine, openLink, openSocket, startServer } from './transports.ts';

/** A plain request with the headers as given; `fetch` would not let us set Host. */
function ask(port: number, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject).end();
  });
}

/** How opening a socket ends: `open`, or the status it was refused with. */
function tryOpen(port: number, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = openSocket(port, headers);
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open'));
    socket.once('unexpected-response', (_request, response) => resolve(String(response.statusCode)));
    socket.once('error', () => resolve('refused'));
  });
}

test('the link opens the app once, hides its token and sets a strict cookie', async () => {
  const server = await startServer(fakeEngine());
  const link = server.createLink();
  const opened = await fetch(link, { redirect: 'manual' });
  expect([opened.status, opened.headers.get('location')]).toEqual([303, '/']);
  const cookie = opened.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/^accelhydra-\d+=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/);
  const again = await fetch(link, { redirect: 'manual' });
  expect(again.status).toBe(401);
  const page = await ask(server.port, '/', { Cookie: cookie.split(';')[0] ?? '' });
  expect([page.status, page.text]).toEqual([200, '<title>the app</title>']);
});

test('pages carry a policy that allows no foreign script', async () => {
  const server = await startServer(fakeEngine());
  const { headers } = await ask(server.port, '/', { Cookie: await openLink(server.createLink()) });
  expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';");
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['cross-origin-opener-policy']).toBe('same-origin');
});

test('deep links show the app, and files outside its folder are not there', async () => {
  const server = await startServer(fakeEngine());
  const cookie = { Cookie: await openLink(server.createLink()) };
  expect((await ask(server.port, '/runs/abc', cookie)).text).toBe('<title>the app</title>');
  expect((await ask(server.port, '/app.js', cookie)).text).toBe('export {};');
  expect((await ask(server.port, '/..%2f..%2fetc%2fpasswd', cookie)).text).not.toContain('root:');
});

test.each([
  { id: 'without a session', path: '/', headers: {}, status: 401 },
  { id: 'with a wrong token', path: '/?token=guess', headers: {}, status: 401 },
  { id: 'with a guessed cookie', path: '/app.js', headers: { Cookie: 'accelhydra=x' }, status: 401 },
  { id: 'under a name that was made to point here', path: '/', headers: { Host: 'evil.example:80' }, status: 403 },
  { id: 'from another origin', path: '/', headers: { Origin: 'http://evil.example' }, status: 403 },
])('a request $id is refused', async ({ path, headers, status }) => {
  const server = await startServer(fakeEngine());
  expect((await ask(server.port, path, headers)).status).toBe(status);
});

test('nothing but reading is possible', async () => {
  const server = await startServer(fakeEngine());
  expect((await ask(server.port, '/', {}, 'POST')).status).toBe(405);
});

test('an address that would leave this host after the token is kept here', async () => {
  const server = await startServer(fakeEngine());
  const token = new URL(server.createLink()).searchParams.get('token');
  const { headers } = await ask(server.port, `//evil.example/?token=${token}`);
  expect(headers.location).toMatch(/^\/[^/]|^\/$/);
});

test('the socket wants the cookie and the right origin', async () => {
  const server = await startServer(fakeEngine());
  const Cookie = await openLink(server.createLink());
  expect(await tryOpen(server.port, {})).toBe('401');
  expect(await tryOpen(server.port, { Cookie, Origin: 'http://evil.example' })).toBe('403');
  expect(await tryOpen(server.port, { Cookie, Origin: 'http://localhost:1' })).toBe('403');
  expect(await tryOpen(server.port, { Cookie })).toBe('open');
});

test('a tunnel with another port on its near side works', async () => {
  const server = await startServer(fakeEngine());
  const Cookie = await openLink(server.createLink());
  expect(await tryOpen(server.port, { Cookie, Host: 'localhost:9999', Origin: 'http://localhost:9999' })).toBe('open');
});

test('what is no message ends the connection', async () => {
  const server = await startServer(fakeEngine());
  const socket = openSocket(server.port, { Cookie: await openLink(server.createLink()) });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"nonsense"}');
  expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(1003);
});

test('a taken port is an error when it was asked for, and passed over when not', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void other.close(() => resolve())));
  const { port } = other.address() as AddressInfo;
  await expect(startServer(fakeEngine(), port)).rejects.toMatchObject({
    code: 'serve.port-taken',
    message: expect.stringContaining(String(port)),
  });
  const [first, second] = [await startServer(fakeEngine(), undefined), await startServer(fakeEngine(), undefined)];
  expect(second.port).not.toBe(first.port);
});

test('ending the server closes its sockets and leaves no listener', async () => {
  const engine = fakeEngine();
  const server = await startServer(engine);
  const socket = openSocket(server.port, { Cookie: await openLink(server.createLink()) });
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await server.dispose();
  await closed;
  expect(engine.events.listenerCount).toBe(0);
  expect(await ask(server.port, '/').catch((error: NodeJS.ErrnoException) => error.code)).toBe('ECONNREFUSED');
});
