import { useState } from 'react';
import type { RunDetail } from '../../../engine/api/runModel.ts';
import { CommandLine } from '../../ui/CommandLine.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { YamlView } from '../../ui/YamlView.tsx';

export function ConfigTab({ run }: { readonly run: RunDetail }) {
  const [view, setView] = useState<'composed' | 'resolved'>('composed');
  const text = view === 'resolved' ? (run.resolvedYaml ?? run.configYaml) : run.configYaml;
  return (
    <div className="run__stack">
      <CommandLine command={run.command} />
      {run.overrides.length > 0 && (
        <Panel title="Overrides">
          <ul className="run__overrides">
            {run.overrides.map((override) => (
              <li key={override}>
                <code>{override}</code>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <section className="panel" aria-label="Config">
        <Tabs
          label="Config view"
          selected={view}
          onSelect={setView}
          tabs={[
            { key: 'composed', label: 'As composed' },
            { key: 'resolved', label: 'Resolved' },
          ]}
        />
        <YamlView text={text} label="Config of the run" />
      </section>
    </div>
  );
}
