import type { PlanEventKind, PlanEvents } from '../../api/planModel.ts';

/** Steps that a plan lists one by one; of more it gives the first ones and the last. */
const mostSteps = 1000;

/** The steps of one kind of event, kept short however many there are. */
export class EventSteps {
  readonly kind: PlanEventKind;
  readonly #steps: number[] = [];
  #count = 0;
  #last: number | undefined;
  #distance: number | undefined;
  #isEven = true;

  constructor(kind: PlanEventKind) {
    this.kind = kind;
  }

  get count(): number {
    return this.#count;
  }

  get last(): number | undefined {
    return this.#last;
  }

  add(step: number): void {
    if (this.#last !== undefined) {
      this.#distance ??= step - this.#last;
      if (step - this.#last !== this.#distance) this.#isEven = false;
    }
    this.#last = step;
    this.#count++;
    if (this.#steps.length < mostSteps - 1) this.#steps.push(step);
  }

  events(): PlanEvents {
    const isCut = this.#count > mostSteps;
    const isLastMissing = this.#last !== undefined && this.#steps.at(-1) !== this.#last;
    return {
      kind: this.kind,
      count: this.#count,
      steps: isLastMissing && this.#last !== undefined ? [...this.#steps, this.#last] : [...this.#steps],
      isCut,
      ...(this.#isEven && this.#distance !== undefined ? { every: this.#distance } : {}),
    };
  }
}
