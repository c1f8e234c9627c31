/**
 * What a page of ours may load, for the `Content-Security-Policy` header: nothing but its own files, whatever serves it.
 * `connectSrc`: where it may open connections to; `'none'` where it reaches the engine by other means than the network.
 */
export function contentSecurityPolicy(connectSrc: "'self'" | "'none'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "media-src 'self' blob:",
    `connect-src ${connectSrc}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
