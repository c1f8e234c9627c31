import './projects.css';
import { FolderOpen, FolderPlus } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import { desktop } from '../../client/engine.ts';
import { formatAgo } from '../../lib/format.ts';
import { useProject } from '../../stores/project.ts';
import { navigate } from '../../stores/router.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState, ErrorNotice, LoadingState } from '../../ui/states.tsx';
import { useNow } from '../../ui/useNow.ts';

/** Which folder of configs and code the app works on. */
export function ProjectsPage() {
  const { project, recent } = useProject();
  const now = useNow(30_000);
  useEffect(() => void useProject.getState().loadRecent(), []);
  const open = async (root: string) => {
    await useProject.getState().open(root);
    if (!useProject.getState().project.error) navigate({ page: 'compose' });
  };
  return (
    <div className="page">
      <header className="page__head">
        <h1 className="page__title">Projects</h1>
      </header>
      {project.error && project.data && <ErrorNotice error={project.error} />}
      <div className="projects">
        {project.data && (
          <Panel title="Open now" actions={<TrustToggle />}>
            <dl className="projects__facts">
              <dt>Folder</dt>
              <dd className="mono">{project.data.root}</dd>
              <dt>Configs</dt>
              <dd className="mono">{project.data.configDir}</dd>
              <dt>Code</dt>
              <dd className="mono">{project.data.sourceRoots.join(', ')}</dd>
              <dt>Primary configs</dt>
              <dd>{project.data.configNames.join(', ') || 'none'}</dd>
            </dl>
          </Panel>
        )}
        <PathForm
          title="Open a folder"
          hint="A folder with a configs folder in it (or an accelhydra.yaml that names it)."
          button="Open"
          icon="open"
          onSubmit={(root) => void open(root)}
        />
        <PathForm
          title="New project"
          hint="Copies the MNIST sample (configs and code) into a new or empty folder."
          button="Create"
          icon="new"
          onSubmit={(root) =>
            void useProject
              .getState()
              .create(root, 'mnist')
              .then(() => !useProject.getState().project.error && navigate({ page: 'compose' }))
          }
        />
        <Panel title="Recent" flush className="projects__recent">
          {!recent.data && recent.loading && <LoadingState label="Reading" />}
          {recent.error && <ErrorNotice error={recent.error} />}
          {recent.data?.length === 0 && <EmptyState title="No other projects yet" />}
          <ul className="projects__list">
            {recent.data?.map((item) => (
              <li key={item.root}>
                <button
                  type="button"
                  className="projects__item"
                  disabled={item.missing}
                  onClick={() => void open(item.root)}
                >
                  <strong>{item.name}</strong>
                  <span className="mono projects__root">{item.root}</span>
                  {item.missing ? (
                    <Badge tone="red">missing</Badge>
                  ) : (
                    <span className="field__hint">{formatAgo(item.openedAt, now)}</span>
                  )}
                </button>
              </li>
            ))}
          </ul>
        </Panel>
      </div>
    </div>
  );
}

function TrustToggle() {
  const trusted = useProject((state) => state.project.data?.trusted ?? false);
  return (
    <label className="projects__trust">
      <input
        type="checkbox"
        checked={trusted}
        onChange={(event) => void useProject.getState().trust(event.target.checked)}
      />
      Trusted: its code may run
    </label>
  );
}

interface PathFormProps {
  readonly title: string;
  readonly hint: string;
  readonly button: string;
  readonly icon: 'open' | 'new';
  readonly onSubmit: (root: string) => void;
}

function PathForm({ title, hint, button, icon, onSubmit }: PathFormProps) {
  const [path, setPath] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (path.trim()) onSubmit(path.trim());
  };
  return (
    <Panel title={title}>
      <form className="projects__form" onSubmit={submit}>
        <label className="field">
          <span className="field__label">Folder on the engine's machine</span>
          <input className="input input--mono" value={path} onChange={(event) => setPath(event.target.value)} />
          <span className="field__hint">{hint}</span>
        </label>
        <div className="projects__buttons">
          {desktop && (
            <Button onClick={() => void desktop?.pickFolder().then((folder) => folder && setPath(folder))}>
              Browse…
            </Button>
          )}
          <Button look="primary" type="submit" disabled={!path.trim()}>
            {icon === 'open' ? <FolderOpen size={15} /> : <FolderPlus size={15} />} {button}
          </Button>
        </div>
      </form>
    </Panel>
  );
}
