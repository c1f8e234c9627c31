import { EngineError } from '../api/errors.ts';
import type { ModelSignature, SamplePage } from '../api/inferenceModel.ts';
import { didYouMean } from '../base/nearest.ts';
import { isHostTensor, readHostTensor } from '../data/hostTensor.ts';
import { isMapDataset, type MapDataset } from '../data/index.ts';
import type { InferenceModel, SampleView } from './modelContract.ts';

/** The run's data sets by the name of their split; each is built when it is first asked for. */
export class SampleSource {
  readonly #builders: ReadonlyMap<string, () => Promise<unknown>>;
  readonly #model: InferenceModel;
  readonly #signature: ModelSignature;
  readonly #built = new Map<string, Promise<MapDataset>>();

  constructor(builders: ReadonlyMap<string, () => Promise<unknown>>, model: InferenceModel, signature: ModelSignature) {
    this.#builders = builders;
    this.#model = model;
    this.#signature = signature;
  }

  get splits(): readonly string[] {
    return [...this.#builders.keys()];
  }

  /** Throws 'inference.no-split' or 'data.index'. */
  async view(split: string, index: number): Promise<SampleView> {
    const dataset = await this.#dataset(split);
    const sample: unknown = await dataset.get(index);
    return this.#model.describe_sample?.(sample) ?? describeSample(sample, this.#signature);
  }

  /** A page of samples; shorter at the end of the split. */
  async page(split: string, offset: number, limit: number): Promise<SamplePage> {
    const total = (await this.#dataset(split)).length;
    const count = Math.max(0, Math.min(limit, total - offset));
    const samples: SamplePage['samples'] = [];
    for (let index = offset; index < offset + count; index++) {
      const { tensor: _tensor, ...shown } = await this.view(split, index);
      samples.push({ index, ...shown });
    }
    return { split, total, offset, samples };
  }

  #dataset(split: string): Promise<MapDataset> {
    const known = this.#built.get(split);
    if (known !== undefined) return known;
    const building = this.#build(split);
    this.#built.set(split, building);
    // a split that could not be built may be asked for again
    building.catch(() => this.#built.delete(split));
    return building;
  }

  async #build(split: string): Promise<MapDataset> {
    const builder = this.#builders.get(split);
    if (builder === undefined) {
      const listed = this.splits.length === 0 ? 'The run has none' : `There are ${this.splits.join(', ')}`;
      throw new EngineError(
        'inference.no-split',
        `There is no split '${split}'. ${listed}.${didYouMean(split, this.splits)}`,
        { split, splits: this.splits },
      );
    }
    const dataset = await builder();
    if (isMapDataset(dataset)) return dataset;
    throw new EngineError('inference.no-split', `The data set of '${split}' has no samples by number to pick from.`, {
      split,
    });
  }
}

/** Reads [input, label] samples for models that take images or tensors. */
function describeSample(sample: unknown, signature: ModelSignature): SampleView {
  const parts: readonly unknown[] = Array.isArray(sample) ? sample : [sample];
  const [first, second] = parts;
  const label = isHostTensor(second) && second.data.length === 1 ? second.data[0] : second;
  const named = labelled(label, signature);
  if (signature.input.type === 'tensor') {
    const tensor = readHostTensor(first);
    return tensor === undefined ? named : { ...named, tensor };
  }
  if (signature.input.type !== 'image' || !isHostTensor(first)) return named;
  const { height, width, channels } = signature.input;
  return first.data.length === height * width * channels ? { ...named, pixels: Float64Array.from(first.data) } : named;
}

/** A class by its number, labels by what is one of a value for each (multi-hot). */
function labelled(label: unknown, { output }: ModelSignature): { readonly label?: string } {
  const names = output.type === 'classes' || output.type === 'labels' ? output.names : [];
  if (typeof label === 'number') return { label: names[label] ?? String(label) };
  const values = output.type === 'labels' ? readHostTensor(label)?.data : undefined;
  if (values?.length !== names.length) return {};
  return { label: names.filter((_, index) => Number(values[index]) > 0.5).join(', ') || 'none' };
}
