import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Why a request is refused, or that it is not. */
export type Verdict = 'allowed' | 'foreign-host' | 'foreign-origin' | 'no-session';

/**
 * Who may talk to the loopback server: whoever opened a link with a one-time token, in the browser that got the session
 * cookie for it. A page of another site cannot: its requests carry another origin, the cookie is not sent along
 * (SameSite=Strict), and a name that was made to point at this machine is not a loopback name.
 */
export class AccessControl {
  readonly #tokens = new Set<string>();
  readonly #sessions = new Set<string>();
  #cookieName = 'accelhydra';

  /** Cookies do not know ports: two servers on one machine must not overwrite each other's. */
  bindToPort(port: number): void {
    this.#cookieName = `accelhydra-${port}`;
  }

  /** A token that opens one session. */
  issueToken(): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.add(token);
    return token;
  }

  /** The `Set-Cookie` value of a new session, or `undefined` when the token is wrong or was used. */
  redeem(token: string): string | undefined {
    const known = [...this.#tokens].find((candidate) => equalTexts(candidate, token));
    if (known === undefined) return undefined;
    this.#tokens.delete(known);
    const session = randomBytes(24).toString('base64url');
    this.#sessions.add(session);
    return `${this.#cookieName}=${session}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Any port is allowed with a loopback name: an SSH tunnel may use another one on its near side. */
  judgeAddress(request: IncomingMessage): Verdict {
    const host = request.headers.host ?? '';
    const name = host.replace(/:\d+$/, '').toLowerCase();
    if (!LOOPBACK_NAMES.has(name)) return 'foreign-host';
    const origin = request.headers.origin;
    if (origin !== undefined && origin !== `http://${host}`) return 'foreign-origin';
    return 'allowed';
  }

  judgeSession(request: IncomingMessage): Verdict {
    const address = this.judgeAddress(request);
    if (address !== 'allowed') return address;
    const offered = cookiesOf(request).get(this.#cookieName) ?? '';
    return [...this.#sessions].some((session) => equalTexts(session, offered)) ? 'allowed' : 'no-session';
  }
}

function cookiesOf(request: IncomingMessage): Map<string, string> {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]));
}

/** Takes as long for a nearly right text as for a wrong one. */
function equalTexts(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
