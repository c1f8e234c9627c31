import { create } from 'zustand';

export type Route =
  | { readonly page: 'compose' }
  | { readonly page: 'launch' }
  | { readonly page: 'runs' }
  | { readonly page: 'run'; readonly runId: string; readonly tab: RunTab }
  | { readonly page: 'compare'; readonly runIds: readonly string[] }
  | { readonly page: 'inference'; readonly runId?: string; readonly checkpoint?: string }
  | { readonly page: 'projects' }
  | { readonly page: 'settings' };

export const RUN_TABS = ['charts', 'media', 'config', 'checkpoints', 'logs', 'details'] as const;
export type RunTab = (typeof RUN_TABS)[number];

/** The address is the state: a page can be reloaded, bookmarked and gone back from. */
export function parseRoute(hash: string): Route {
  const [page, ...rest] = hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  const [first, second] = rest;
  switch (page) {
    case 'launch':
    case 'runs':
    case 'projects':
    case 'settings':
      return { page };
    case 'run': {
      if (!first) return { page: 'runs' };
      return { page, runId: first, tab: RUN_TABS.find((tab) => tab === second) ?? 'charts' };
    }
    case 'compare':
      return { page, runIds: [...new Set(rest.filter(Boolean))] };
    case 'inference':
      return { page, ...(first ? { runId: first } : {}), ...(second ? { checkpoint: second } : {}) };
    default:
      return { page: 'compose' };
  }
}

export function formatRoute(route: Route): string {
  switch (route.page) {
    case 'run':
      return `#/run/${encodeURIComponent(route.runId)}/${route.tab}`;
    case 'compare':
      return ['#/compare', ...route.runIds.map(encodeURIComponent)].join('/');
    case 'inference': {
      const parts = [route.runId, route.checkpoint].filter((part) => part !== undefined);
      return ['#/inference', ...parts.map(encodeURIComponent)].join('/');
    }
    default:
      return `#/${route.page}`;
  }
}

interface RouterState {
  readonly route: Route;
}

export const useRouter = create<RouterState>()(() => ({ route: parseRoute(currentHash()) }));

export function navigate(route: Route): void {
  window.location.hash = formatRoute(route);
}

/** Goes there without a step of its own in the history: going back leaves the page that only said where to go. */
export function redirect(route: Route): void {
  window.history.replaceState(null, '', formatRoute(route));
  useRouter.setState({ route });
}

/** Follows the address bar for as long as the page lives. */
export function startRouter(): void {
  window.addEventListener('hashchange', () => useRouter.setState({ route: parseRoute(currentHash()) }));
}

function currentHash(): string {
  return typeof window === 'undefined' ? '' : window.location.hash;
}
