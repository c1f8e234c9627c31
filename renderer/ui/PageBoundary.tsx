import { Component, type ReactNode } from 'react';
import { EngineError } from '../../engine/api/errors.ts';
import { ErrorNotice } from './states.tsx';

interface PageBoundaryProps {
  readonly children: ReactNode;
}

interface PageBoundaryState {
  readonly error: EngineError | undefined;
}

/** Keeps a fault in drawing one page from taking the app with it. Nothing is lost: what was edited lies in the stores. */
export class PageBoundary extends Component<PageBoundaryProps, PageBoundaryState> {
  override state: PageBoundaryState = { error: undefined };

  static getDerivedStateFromError(error: unknown): PageBoundaryState {
    const cause = error instanceof Error ? error.message : String(error);
    return {
      error: new EngineError(
        'page.failed',
        `This page could not be drawn: ${cause}\nTrainings and edits are not affected.`,
      ),
    };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <div className="page">
        <ErrorNotice error={this.state.error} onRetry={() => this.setState({ error: undefined })} />
      </div>
    );
  }
}
