export interface LossScalerState {
  readonly scale: number;
  /** Optimizer steps since the scale last changed. */
  readonly growth_tracker: number;
}

/** torch.amp.GradScaler's defaults. */
const initialScale = 65_536;
const growthFactor = 2;
const backoffFactor = 0.5;
const growthInterval = 2000;
/** Below this the gradients overflow for another reason than the scale. */
const leastScale = 1;

/**
 * Dynamic loss scaling for fp16 (Micikevicius et al., "Mixed precision training", 2018), with the rules and numbers of
 * torch.amp.GradScaler: the loss is multiplied by `scale` so that small gradients do not vanish in half precision, and
 * gradients are divided by it. The scale halves when they overflow and doubles after 2,000 optimizer steps without.
 */
export class LossScaler {
  #scale = initialScale;
  #growthTracker = 0;

  /** A power of two: multiplying by it rounds nothing. */
  get scale(): number {
    return this.#scale;
  }

  /** The gradients were finite. */
  succeeded(): void {
    if (++this.#growthTracker < growthInterval) return;
    this.#scale *= growthFactor;
    this.#growthTracker = 0;
  }

  /** The gradients overflowed. False when the scale is as low as it goes: then it is not to blame. */
  overflowed(): boolean {
    this.#growthTracker = 0;
    if (this.#scale <= leastScale) return false;
    this.#scale *= backoffFactor;
    return true;
  }

  state(): LossScalerState {
    return { scale: this.#scale, growth_tracker: this.#growthTracker };
  }

  restore(state: LossScalerState): void {
    this.#scale = state.scale;
    this.#growthTracker = state.growth_tracker;
  }
}
