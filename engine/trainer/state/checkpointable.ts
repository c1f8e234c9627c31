import type { Stateful } from '../../data/index.ts';

/** Something of the project's that is saved with every checkpoint. The state must survive JSON. */
export type Checkpointable = Stateful;
