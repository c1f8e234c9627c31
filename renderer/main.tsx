import './ui/tokens.css';
import './ui/ui.css';
import './ui/table.css';
import './app.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { connect, desktop } from './client/engine.ts';
import { useProject } from './stores/project.ts';
import { navigate, parseRoute, startRouter } from './stores/router.ts';
import { startTheme, useSettings } from './stores/settings.ts';

connect();
startRouter();
startTheme();
desktop?.onMenuCommand((command) => {
  const [verb, page] = command.split(':');
  if (verb === 'navigate' && page) navigate(parseRoute(`#/${page}`));
});
void useSettings.getState().load();
void useProject.getState().load();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
