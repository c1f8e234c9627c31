import type { Tensor } from '@tensorflow/tfjs';
import type { NativeAttribute } from '../nativeBinding.ts';
import type { NativeBackend } from './nativeBackend.ts';
import { tryOneDnn, tryOptional } from './optional.ts';

type Inputs = readonly Tensor[];
type Attributes = readonly NativeAttribute[];

/** A pooling with a workspace, which says where each maximum was found, and the gradient that reads it. */
interface Pooling {
  forward(inputs: Inputs): Tensor[] | undefined;
  gradient(inputs: Inputs): Tensor[] | undefined;
}

/** Pooling by a kernel of our own for windows of 2 × 2, by oneDNN's for others; undefined where neither is there. */
export function maxPool(backend: NativeBackend, attributes: Attributes, inputs: Inputs): Tensor[] | undefined {
  for (const { forward } of poolings(backend, attributes, inputs)) {
    const found = forward(inputs);
    found?.[1]?.dispose();
    if (found !== undefined) return found;
  }
  return undefined;
}

// The tape of TensorFlow.js keeps one output of a pooling: running it again for the workspace costs far less than the
// plain gradient does.
export function maxPoolGradient(
  backend: NativeBackend,
  attributes: Attributes,
  [input, , slope]: Inputs,
): Tensor[] | undefined {
  if (input === undefined || slope === undefined) return undefined;
  for (const { forward, gradient } of poolings(backend, attributes, [input])) {
    const [output, workspace] = forward([input]) ?? [];
    if (output === undefined || workspace === undefined) continue;
    const result = gradient([input, output, slope, workspace]);
    for (const tensor of [output, workspace]) tensor.dispose();
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Best first. */
function poolings(backend: NativeBackend, attributes: Attributes, [input]: Inputs): Pooling[] {
  const own: Pooling = {
    forward: (inputs) => tryOptional(backend, 'AccelHydraMaxPool', [], inputs, 2),
    gradient: (inputs) => tryOptional(backend, 'AccelHydraMaxPoolGrad', [], inputs, 1),
  };
  const ofOneDnn: Pooling = {
    forward: (inputs) => tryOneDnn(backend, '_MklNativeMaxPool', attributes, inputs, 2),
    gradient: (inputs) => tryOneDnn(backend, '_MklNativeMaxPoolGrad', attributes, inputs),
  };
  return halves(attributes, input) ? [own, ofOneDnn] : [ofOneDnn];
}

/** Whether a pooling takes 2 × 2 windows that lie wholly within the images. */
function halves(attributes: Attributes, input: Tensor | undefined): boolean {
  const by = new Map(attributes.map(({ name, value }) => [name, value]));
  const [, height = 0, width = 0] = input?.shape ?? [];
  const isEven = height % 2 === 0 && width % 2 === 0;
  return (
    String(by.get('ksize')) === '1,2,2,1' &&
    String(by.get('strides')) === '1,2,2,1' &&
    by.get('data_format') === 'NHWC' &&
    (by.get('padding') === 'VALID' || (by.get('padding') === 'SAME' && isEven))
  );
}
