import { EngineError } from '../api/errors.ts';

/** Where a rank listens: a TCP port of the loopback interface, or a unix domain socket (a named pipe on Windows). */
export type RankAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'path'; readonly path: string };

/** `127.0.0.1:29500` or `unix:run.sock`, the form that environment variables carry. */
export function formatAddress(address: RankAddress): string {
  return address.kind === 'tcp' ? `${address.host}:${address.port}` : `unix:${address.path}`;
}

/** The inverse of `formatAddress`. Throws `distributed.address-invalid` for anything else. */
export function parseAddress(text: string): RankAddress {
  if (text.startsWith('unix:') && text.length > 5) return { kind: 'path', path: text.slice(5) };
  const match = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65535) {
    throw new EngineError(
      'distributed.address-invalid',
      `'${text}' is not an address of a rank: write 'host:port' or 'unix:/path/to/socket'.`,
      { address: text },
    );
  }
  return { kind: 'tcp', host: match[1], port };
}
