import { useEffect, useState } from 'react';
import { connection } from './client/engine.ts';
import { ComposePage } from './features/compose/ComposePage.tsx';
import { InferencePage } from './features/inference/InferencePage.tsx';
import { LaunchPage } from './features/launch/LaunchPage.tsx';
import { ProjectsPage } from './features/projects/ProjectsPage.tsx';
import { ComparePage } from './features/run/compare/ComparePage.tsx';
import { RunPage } from './features/run/RunPage.tsx';
import { RunsPage } from './features/runs/RunsPage.tsx';
import { SettingsPage } from './features/settings/SettingsPage.tsx';
import { Navigation } from './Navigation.tsx';
import { startComposing } from './stores/compose.ts';
import { useProject } from './stores/project.ts';
import { type Route, useRouter } from './stores/router.ts';
import { PageBoundary } from './ui/PageBoundary.tsx';
import { ErrorNotice, LoadingState, Spinner } from './ui/states.tsx';

export function App() {
  const route = useRouter((state) => state.route);
  const project = useProject((state) => state.project);
  const root = project.data?.root;
  useEffect(() => {
    if (root !== undefined) startComposing();
  }, [root]);
  return (
    <div className="app">
      <Navigation />
      <main className="app__main">
        <ConnectionBanner />
        {project.data ? (
          <PageBoundary key={`${root}:${route.page}`}>
            <Page route={route} />
          </PageBoundary>
        ) : (
          <div className="page">
            {project.error ? (
              <>
                <ErrorNotice error={project.error} onRetry={() => void useProject.getState().load()} />
                <ProjectsPage />
              </>
            ) : (
              <LoadingState label="Opening the project" />
            )}
          </div>
        )}
      </main>
    </div>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'compose':
      return <ComposePage />;
    case 'launch':
      return <LaunchPage />;
    case 'runs':
      return <RunsPage />;
    case 'run':
      return <RunPage runId={route.runId} tab={route.tab} key={route.runId} />;
    case 'compare':
      return <ComparePage runIds={route.runIds} />;
    case 'inference':
      return <InferencePage runId={route.runId} checkpoint={route.checkpoint} />;
    case 'projects':
      return <ProjectsPage />;
    case 'settings':
      return <SettingsPage />;
  }
}

function ConnectionBanner() {
  const [state, setState] = useState(connection.state);
  useEffect(() => {
    setState(connection.state);
    const listener = connection.onDidChangeState(setState);
    return () => void listener.dispose();
  }, []);
  if (state === 'connected' || state === 'connecting') return null;
  return (
    <div className="app__banner" role="status">
      <Spinner label="Reconnecting" />
      The engine does not answer. Reconnecting; trainings go on by themselves.
    </div>
  );
}
