import { useState } from 'react';
import type { RunDetail } from '../../../engine/api/runModel.ts';
import { formatBytes } from '../../../engine/base/format.ts';
import { formatDateTime, formatDevices } from '../../lib/format.ts';
import { useRun } from '../../stores/run.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { HyperparametersPanel } from './HyperparametersPanel.tsx';

export function DetailsTab({ run }: { readonly run: RunDetail }) {
  return (
    <div className="run__columns">
      <Panel title="Run">
        <dl className="facts">
          <Fact name="Id" value={run.id} />
          <Fact name="Folder" value={run.expDir} />
          <Fact name="Config" value={run.configName} />
          <Fact name="Created" value={formatDateTime(run.createdAt)} />
          {run.startedAt !== undefined && <Fact name="Started" value={formatDateTime(run.startedAt)} />}
          {run.endedAt !== undefined && <Fact name="Ended" value={formatDateTime(run.endedAt)} />}
          <Fact name="Host" value={`${run.user}@${run.host}`} />
          <Fact name="Devices" value={formatDevices(run.devices)} />
          {run.launcherPid !== undefined && <Fact name="Launcher pid" value={String(run.launcherPid)} />}
          {run.git && (
            <>
              <dt>Git</dt>
              <dd className="mono">
                {run.git.commit.slice(0, 12)} {run.git.branch}{' '}
                {run.git.dirty && <Badge tone="amber">uncommitted changes kept in code.diff</Badge>}
              </dd>
            </>
          )}
        </dl>
      </Panel>
      <NotesPanel run={run} />
      <HyperparametersPanel values={run.hyperparameters} />
      <Panel title="Environment">
        <dl className="facts">
          {Object.entries(run.environment).map(([name, value]) => (
            <Fact key={name} name={name} value={environmentText(name, value)} />
          ))}
        </dl>
      </Panel>
    </div>
  );
}

/** Sizes as people read them, a device by its name, everything else as it was recorded. */
function environmentText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && name.endsWith('Bytes')) return formatBytes(value);
  if (Array.isArray(value)) return value.map((item) => environmentText(name, item)).join(', ');
  if (typeof value === 'object' && value !== null && 'name' in value) return String(value.name);
  return JSON.stringify(value);
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="mono">{value}</dd>
    </>
  );
}

function NotesPanel({ run }: { readonly run: RunDetail }) {
  const [name, setName] = useState(run.name);
  const [tags, setTags] = useState(run.tags.join(', '));
  const [notes, setNotes] = useState(run.notes);
  const { update } = useRun.getState();
  const tagList = tags
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);
  return (
    <Panel title="Name, tags, notes">
      <div className="run__notes">
        <label className="field">
          <span className="field__label">Name</span>
          <input
            className="input"
            value={name}
            onChange={(event) => setName(event.target.value)}
            onBlur={() => name.trim() && name !== run.name && void update({ name: name.trim() })}
          />
        </label>
        <label className="field">
          <span className="field__label">Tags, separated by commas</span>
          <input
            className="input"
            value={tags}
            onChange={(event) => setTags(event.target.value)}
            onBlur={() => tagList.join() !== run.tags.join() && void update({ tags: tagList })}
          />
        </label>
        <label className="field">
          <span className="field__label">Notes</span>
          <textarea
            className="input run__textarea"
            value={notes}
            rows={6}
            placeholder="What this run was for, what came of it"
            onChange={(event) => setNotes(event.target.value)}
            onBlur={() => notes !== run.notes && void update({ notes })}
          />
        </label>
      </div>
    </Panel>
  );
}
