import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, protocol, session, shell } from 'electron';
import { contentSecurityPolicy } from '../../engine/transport/contentSecurityPolicy.ts';

const SCHEME = 'accelhydra';
export const RENDERER_URL = `${SCHEME}://studio/index.html`;

const RENDERER_FOLDER = fileURLToPath(new URL('../../dist/renderer', import.meta.url));

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Before `ready`: names the page's scheme, and keeps every page from leaving, opening windows or getting permissions. */
export function hardenApp(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event, url) => {
      if (!isRendererUrl(url)) event.preventDefault();
    });
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      if (url.startsWith('https://')) void shell.openExternal(url);
      return { action: 'deny' };
    });
  });
}

/** After `ready`: serves the built renderer under its own origin, with its content security policy. */
export function serveRenderer(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, permission, callback) =>
    callback(permission === 'clipboard-sanitized-write'),
  );
  protocol.handle(SCHEME, (request) => respond(request.url));
}

/** True for addresses of the app's own page: the only sender that the engine listens to. */
export function isRendererUrl(url: string): boolean {
  return url.startsWith(`${SCHEME}://studio/`);
}

async function respond(url: string): Promise<Response> {
  const path = normalize(join(RENDERER_FOLDER, decodeURIComponent(new URL(url).pathname)));
  if (!path.startsWith(RENDERER_FOLDER + sep)) return new Response('Forbidden', { status: 403 });
  try {
    const body = await readFile(path);
    return new Response(new Uint8Array(body), {
      headers: {
        'Content-Type': CONTENT_TYPES[extname(path)] ?? 'application/octet-stream',
        'Content-Security-Policy': contentSecurityPolicy("'none'"),
        'X-Content-Type-Options': 'nosniff',
      },
    });
  } catch {
    return new Response('There is no such file. Build the app with: npm run build', { status: 404 });
  }
}
