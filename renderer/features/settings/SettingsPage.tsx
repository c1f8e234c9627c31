import './settings.css';
import { RefreshCw } from 'lucide-react';
import { useEffect } from 'react';
import type { DoctorCheck } from '../../../engine/api/machine.ts';
import type { Settings } from '../../../engine/api/projectModel.ts';
import { formatBytes } from '../../../engine/base/format.ts';
import { useMachine } from '../../stores/machine.ts';
import { useSettings } from '../../stores/settings.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { ErrorNotice, LoadingState } from '../../ui/states.tsx';

const TONES: Readonly<Record<DoctorCheck['status'], Tone>> = {
  ok: 'green',
  warning: 'amber',
  missing: 'neutral',
  error: 'red',
};

/** What this machine has, what trainings will use, how to get better; and how the app looks. */
export function SettingsPage() {
  const { doctor } = useMachine();
  useEffect(() => void useMachine.getState().load(), []);
  return (
    <div className="page">
      <header className="page__head">
        <h1 className="page__title">Machine</h1>
        {doctor.data && (
          <span className="settings__backend">
            {doctor.data.platform} · trains on <strong>{doctor.data.backend.description}</strong>
          </span>
        )}
        <div className="page__actions">
          <Button onClick={() => void useMachine.getState().load()} disabled={doctor.loading}>
            <RefreshCw size={15} /> Look again
          </Button>
        </div>
      </header>
      {doctor.error && <ErrorNotice error={doctor.error} onRetry={() => void useMachine.getState().load()} />}
      {!doctor.data && doctor.loading && <LoadingState label="Examining the machine" />}
      <div className="settings">
        <div className="settings__side">
          {doctor.data && (
            <Panel title="Devices" flush>
              <table className="table">
                <tbody>
                  {doctor.data.devices.map((device) => (
                    <tr key={device.id}>
                      <td>
                        <Badge tone={device.kind === 'cpu' ? 'neutral' : 'green'}>{device.id}</Badge>
                      </td>
                      <td>{device.name}</td>
                      <td className="numeric">
                        {device.cores !== undefined && `${device.cores} cores`}
                        {device.utilization !== undefined && `${device.utilization} % busy,`}
                        {device.memoryUsed !== undefined && ` ${formatBytes(device.memoryUsed)} of`}
                        {device.memoryTotal !== undefined && ` ${formatBytes(device.memoryTotal)}`}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Panel>
          )}
          <AppearancePanel />
        </div>
        {doctor.data && (
          <Panel title="Checks" flush>
            <table className="table">
              <tbody>
                {doctor.data.checks.map((check) => (
                  <tr key={check.name}>
                    <td>
                      <Badge tone={TONES[check.status]}>{check.status}</Badge>
                    </td>
                    <td>
                      <strong>{check.name}</strong>
                    </td>
                    <td>
                      {check.found}
                      {check.reason && <div className="field__hint">{check.reason}</div>}
                      {check.advice && <div className="settings__advice">{check.advice}</div>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
        )}
      </div>
    </div>
  );
}

const THEMES: readonly { readonly key: Settings['theme']; readonly label: string }[] = [
  { key: 'system', label: 'As the system' },
  { key: 'light', label: 'Light' },
  { key: 'dark', label: 'Dark' },
];

function AppearancePanel() {
  const settings = useSettings((state) => state.settings);
  return (
    <Panel title="Appearance">
      {settings.error && <ErrorNotice error={settings.error} />}
      <fieldset className="settings__themes">
        <legend className="field__label">Theme</legend>
        {THEMES.map((theme) => (
          <label key={theme.key}>
            <input
              type="radio"
              name="theme"
              checked={(settings.data?.theme ?? 'system') === theme.key}
              onChange={() => void useSettings.getState().update({ theme: theme.key })}
            />
            {theme.label}
          </label>
        ))}
      </fieldset>
    </Panel>
  );
}
