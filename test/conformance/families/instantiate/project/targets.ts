import { Built } from '../../../../../engine/instantiate/index.ts';
import { nothing, numberOf, pythonTarget } from '../pythonTarget.ts';

// The targets that the vectors were recorded with, by the names of their module.
export const ArgsClass = pythonTarget('targets.ArgsClass', '*args, **kwargs');
export const AClass = Object.assign(pythonTarget('targets.AClass', 'a, b, c, d='), {
  static_method: pythonTarget('targets.AClass.static_method', 'z', (bound) => bound.get('z') ?? nothing()),
});
export const Tree = pythonTarget('targets.Tree', 'value, left=, right=');
export const Mapping = pythonTarget('targets.Mapping', 'value=, dictionary=');
export const CenterCrop = pythonTarget('targets.CenterCrop', 'size');
export const Rotation = pythonTarget('targets.Rotation', 'degrees');
export const Compose = pythonTarget('targets.Compose', 'transforms');
export const SimpleClass = pythonTarget('targets.SimpleClass', 'a, b');
export const Optimizer = pythonTarget('targets.Optimizer', 'params=, lr=, betas=');
export const NoArgs = pythonTarget('targets.NoArgs', '');
export const Outer = Object.assign(pythonTarget('targets.Outer', ''), {
  Nested: pythonTarget('targets.Outer.Nested', '*args, **kwargs'),
  create: pythonTarget('targets.Outer.create', '*args, **kwargs'),
});
export const RaisingInit = pythonTarget('targets.RaisingInit', '*args, **kwargs', () => {
  throw new Error('boom in constructor');
});

export const make_thing = pythonTarget('targets.make_thing', '*args, **kwargs');
export const identity = pythonTarget('targets.identity', 'x', (bound) => bound.get('x') ?? nothing());
export const add_values = pythonTarget(
  'targets.add_values',
  'a, b',
  (bound) => new Built(numberOf(bound, 'a') + numberOf(bound, 'b')),
);
export const returns_none = pythonTarget('targets.returns_none', '', nothing);
export const returns_dict = pythonTarget('targets.returns_dict', '', () => new Built({ a: 1, b: [1, 2] }));
export const returns_list = pythonTarget('targets.returns_list', '', () => new Built([1, { a: 2 }]));
export const raising = pythonTarget('targets.raising', '*args, **kwargs', () => {
  throw new Error('boom');
});
export const raising_key = pythonTarget('targets.raising_key', '*args, **kwargs', () => {
  throw new Error("'nokey'");
});
export const raising_empty = pythonTarget('targets.raising_empty', '*args, **kwargs', () => {
  throw new Error('');
});
export const CONST = 5;
