import './launch.css';
import { Play } from 'lucide-react';
import { useEffect } from 'react';
import { formatBytes } from '../../../engine/base/format.ts';
import { useCompose } from '../../stores/compose.ts';
import { useLaunch } from '../../stores/launch.ts';
import { useProject } from '../../stores/project.ts';
import { formatRoute, navigate } from '../../stores/router.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { CommandLine } from '../../ui/CommandLine.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState, ErrorNotice, LoadingState, Notice, Spinner } from '../../ui/states.tsx';
import { FlightPlanPanel } from './FlightPlanPanel.tsx';

/** From a composed config to a running training: on which devices, under which name, by which command. */
export function LaunchPage() {
  const project = useProject((state) => state.project.data);
  const { configName, overrides, composed } = useCompose();
  const { preview, starting } = useLaunch();
  useEffect(() => void useLaunch.getState().load(), []);
  useEffect(() => {
    // another composition may launch elsewhere, on other devices, or not at all
    if (configName !== undefined && overrides) void useLaunch.getState().refreshPreview();
  }, [configName, overrides]);
  const blocked = (preview.data?.problems.length ?? 0) > 0 || preview.error !== undefined;
  const start = async () => {
    const runId = await useLaunch.getState().start();
    if (runId) navigate({ page: 'run', runId, tab: 'charts' });
  };
  return (
    <div className="page launch">
      <header className="page__head">
        <h1 className="page__title">Launch</h1>
        <div className="page__actions">
          <Button
            look="primary"
            disabled={blocked || starting.loading || !preview.data || !project?.trusted}
            onClick={() => void start()}
          >
            {starting.loading ? <Spinner label="Starting" /> : <Play size={15} />} Start training
          </Button>
        </div>
      </header>
      {project && !project.trusted && (
        <Notice
          look="warning"
          action={<Button onClick={() => void useProject.getState().trust(true)}>Trust this project</Button>}
        >
          Training runs this project's code ({project.sourceRoots.join(', ')}) with your rights. Trust it when you know
          where it comes from.
        </Notice>
      )}
      {starting.error && <ErrorNotice error={starting.error} />}
      {preview.error && (
        <ErrorNotice error={preview.error} onRetry={() => void useLaunch.getState().refreshPreview()} />
      )}
      {preview.data?.problems.map((problem) => (
        <Notice look="error" key={problem}>
          {problem}
        </Notice>
      ))}
      {preview.data?.warnings.map((warning) => (
        <Notice look="warning" key={warning}>
          {warning}
        </Notice>
      ))}
      {preview.data && <CommandLine command={preview.data.command} />}
      <div className="launch__columns">
        <Panel title="What">
          <div className="launch__what">
            <div>
              Config <strong>{configName}</strong>
              {composed.error && <Badge tone="red">does not compose</Badge>}
            </div>
            {overrides.length === 0 ? (
              <p className="field__hint">No overrides: the config as its files say.</p>
            ) : (
              <ul className="launch__overrides">
                {overrides.map((text) => (
                  <li key={text}>
                    <code>{text}</code>
                  </li>
                ))}
              </ul>
            )}
            <a href={formatRoute({ page: 'compose' })}>Change the composition</a>
            {preview.data && (
              <div className="field">
                <span className="field__label">Folder of the run</span>
                <code className="launch__folder">{preview.data.expDir}</code>
              </div>
            )}
          </div>
        </Panel>
        <LaunchForm />
        <DevicesPanel />
      </div>
      <FlightPlanPanel />
    </div>
  );
}

function LaunchForm() {
  const { options, files, setOptions } = useLaunch();
  return (
    <Panel title="How">
      <div className="launch__form">
        <label className="field">
          <span className="field__label">Name</span>
          <input
            className="input"
            value={options.name}
            placeholder="From the config (exp_name)"
            onChange={(event) => setOptions({ name: event.target.value })}
          />
        </label>
        <label className="field">
          <span className="field__label">Launch file (accelerate)</span>
          <select
            className="select"
            value={options.launchFile ?? ''}
            onChange={(event) => setOptions({ launchFile: event.target.value || undefined })}
          >
            <option value="">None: the options below</option>
            {files.data?.map((file) => (
              <option key={file}>{file}</option>
            ))}
          </select>
          {files.error && <span className="field__hint">{files.error.message}</span>}
        </label>
        <label className="field">
          <span className="field__label">Processes</span>
          <input
            className="input"
            type="number"
            min={1}
            max={64}
            value={options.numProcesses ?? ''}
            placeholder={options.launchFile ? 'As the file says' : 'One per GPU, or 1'}
            onChange={(event) => {
              const count = Number.parseInt(event.target.value, 10);
              setOptions({ numProcesses: Number.isFinite(count) && count > 0 ? count : undefined });
            }}
          />
        </label>
        <label className="launch__check">
          <input
            type="checkbox"
            checked={options.useCpu}
            onChange={(event) => setOptions({ useCpu: event.target.checked })}
          />
          Use the CPU even where a GPU is found
        </label>
      </div>
    </Panel>
  );
}

function DevicesPanel() {
  const { devices, preview } = useLaunch();
  return (
    <Panel title="Where">
      {preview.data && (
        <table className="table launch__processes">
          <thead>
            <tr>
              <th>Rank</th>
              <th>Device</th>
              <th className="numeric">Threads</th>
            </tr>
          </thead>
          <tbody>
            {preview.data.processes.map((process) => (
              <tr key={process.rank}>
                <td>{process.rank}</td>
                <td>{process.device}</td>
                <td className="numeric">{process.threads}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {!devices.data && devices.loading && <LoadingState label="Looking for devices" />}
      {devices.error && <ErrorNotice error={devices.error} />}
      {devices.data?.length === 0 && <EmptyState title="No devices" text="`accelhydra doctor` says why." />}
      <ul className="launch__devices">
        {devices.data?.map((device) => (
          <li key={device.id}>
            <Badge tone={device.kind === 'cpu' ? 'neutral' : 'green'}>{device.id}</Badge> {device.name}
            {device.memoryTotal !== undefined && ` · ${formatBytes(device.memoryTotal)}`}
            {device.cores !== undefined && ` · ${device.cores} cores`}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
