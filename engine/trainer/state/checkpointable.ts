/** Something of the project's that is saved with every checkpoint. The state must survive JSON. */
export interface Checkpointable {
  state_dict(): unknown;
  load_state_dict(state: unknown): void;
}
