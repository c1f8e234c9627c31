import { FlaskConical, FolderOpen, History, Play, Settings2, SlidersHorizontal } from 'lucide-react';
import type { ReactNode } from 'react';
import { useProject } from './stores/project.ts';
import { formatRoute, type Route, useRouter } from './stores/router.ts';
import { useRuns } from './stores/runs.ts';
import { Badge } from './ui/Badge.tsx';

export function Navigation() {
  const page = useRouter((state) => state.route.page);
  const project = useProject((state) => state.project.data);
  const live = useRuns((state) => state.liveCount);
  return (
    <nav className="app__nav" aria-label="Main">
      <div className="app__brand">
        <img src="./icon.svg" alt="" />
        <span>AccelHydra Studio</span>
      </div>
      <NavigationLink to={{ page: 'compose' }} current={page === 'compose'} icon={<SlidersHorizontal size={17} />}>
        Compose
      </NavigationLink>
      <NavigationLink to={{ page: 'launch' }} current={page === 'launch'} icon={<Play size={17} />}>
        Launch
      </NavigationLink>
      <NavigationLink
        to={{ page: 'runs' }}
        current={page === 'runs' || page === 'run' || page === 'compare'}
        icon={<History size={17} />}
        badge={
          live > 0 && (
            <Badge tone="blue" dot="live" title={`${live} running`}>
              {live}
            </Badge>
          )
        }
      >
        Runs
      </NavigationLink>
      <NavigationLink to={{ page: 'inference' }} current={page === 'inference'} icon={<FlaskConical size={17} />}>
        Inference
      </NavigationLink>
      <NavigationLink to={{ page: 'settings' }} current={page === 'settings'} icon={<Settings2 size={17} />}>
        Machine
      </NavigationLink>
      <div className="app__project">
        <NavigationLink to={{ page: 'projects' }} current={page === 'projects'} icon={<FolderOpen size={17} />}>
          <span className="app__project-name" title={project?.root}>
            {project?.name ?? 'Projects'}
          </span>
        </NavigationLink>
      </div>
    </nav>
  );
}

interface NavigationLinkProps {
  readonly to: Route;
  readonly current: boolean;
  readonly icon: ReactNode;
  readonly badge?: ReactNode;
  readonly children: ReactNode;
}

function NavigationLink({ to, current, icon, badge, children }: NavigationLinkProps) {
  return (
    <a className="app__link" href={formatRoute(to)} aria-current={current ? 'page' : undefined}>
      {icon}
      <span className="app__label">{children}</span>
      {badge}
    </a>
  );
}
