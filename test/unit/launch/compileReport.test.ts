import { expect, test } from 'vitest';
import { nodesOf, summarise } from '../../../engine/launch/compileReport/optimisedGraphs.ts';
import { medianStep } from '../../../engine/launch/compileReport/timedTraining.ts';

/** Moments of steps that last so long. */
function moments(...steps: number[]): number[] {
  const all = [0];
  for (const step of steps) all.push((all.at(-1) ?? 0) + step);
  return all;
}

test('the time of a step leaves out the first steps and a validation in between', () => {
  expect(medianStep(moments(900, 500, 40, 4, 5, 6, 300, 5, 5, 5))).toBe(5);
  expect(medianStep(moments(3))).toBe(3);
  expect(medianStep([])).toBeNaN();
});

test('operations after the optimiser are those of the largest parts without anything in common', () => {
  const part = (...nodes: string[]) =>
    nodesOf(
      nodes
        .map(
          (node) =>
            `node {\n  name: "${node.split(' ')[0]}"\n  op: "${node.split(' ')[1]}"\n  attr {\n    name: "x"\n  }\n}\n`,
        )
        .join(''),
    );
  const nodes = part('w VarHandleOp', 'x Placeholder', 'r ReadVariableOp', 'm MatMul', 'b BiasAdd', 'a Add', 'u Mul');
  const dumps = [
    part('w VarHandleOp', 'x Placeholder'),
    part('w VarHandleOp', 'x Placeholder', 'b _FusedMatMul', 'a Add'),
    part('x Placeholder', 'b _FusedMatMul'),
    part('x Placeholder', 'u Mul'),
    part('y Placeholder', 'v Mul'),
  ];
  expect(summarise(nodes, dumps)).toEqual({
    operations: 3,
    kinds: [
      { op: '_FusedMatMul', count: 1 },
      { op: 'Add', count: 1 },
      { op: 'Mul', count: 1 },
    ],
  });
  expect(summarise(nodes, dumps.slice(0, 1))).toBeUndefined();
});
