import { expect, test } from 'vitest';
import { type MatchOptions, type ModelTensor, matchStateDict } from '../../../engine/checkpoint/index.ts';

const model: readonly ModelTensor[] = [
  { name: 'backbone.weight', shape: [2, 3], trainable: false },
  { name: 'head.weight', shape: [3, 10], trainable: true },
  { name: 'head.bias', shape: [10], trainable: true },
];

const file = (entries: Readonly<Record<string, readonly number[]>>) =>
  new Map(Object.entries(entries).map(([name, shape]) => [name, { shape }]));

const whole = { 'backbone.weight': [2, 3], 'head.weight': [3, 10], 'head.bias': [10] };
const trainable = { 'head.weight': [3, 10], 'head.bias': [10] };

test.each<{
  id: string;
  entries: Record<string, number[]>;
  options: MatchOptions;
  matched: number;
  missing?: string[];
}>([
  { id: 'the same model', entries: whole, options: {}, matched: 3 },
  {
    id: 'a file of trainable tensors only',
    entries: trainable,
    options: { mode: 'trainable_only' },
    matched: 2,
    missing: ['backbone.weight'],
  },
  {
    id: 'part of a model with a prefix',
    entries: { 'module.head.bias': [10], other: [1] },
    options: { mode: 'partial', strip_prefix: 'module.' },
    matched: 1,
    missing: ['backbone.weight', 'head.weight'],
  },
])('$id matches', ({ entries, options, matched, missing = [] }) => {
  const report = matchStateDict(model, file(entries), options, 'x');
  expect(report.matched).toHaveLength(matched);
  expect(report.missing).toEqual(missing);
});

test('the file name of a matched tensor keeps its prefix', () => {
  const report = matchStateDict(model, file({ 'm.head.bias': [10] }), { mode: 'partial', strip_prefix: 'm.' }, 'x');
  expect(report.matched).toEqual([{ name: 'head.bias', fileName: 'm.head.bias' }]);
});

test('a partial match reports shapes that differ instead of taking them', () => {
  const report = matchStateDict(model, file({ ...whole, 'head.bias': [7], extra: [1] }), { mode: 'partial' }, 'x');
  expect(report.mismatched).toEqual([{ name: 'head.bias', model: [10], file: [7] }]);
  expect(report.unexpected).toEqual(['extra']);
});

test.each<{ id: string; entries: Record<string, number[]>; options: MatchOptions; message: RegExp }>([
  {
    id: 'another number of classes',
    entries: { ...whole, 'head.bias': [7] },
    options: {},
    message:
      /best\/model\.safetensors belongs to another model: other shapes: head\.bias is \[7\] there and \[10\] in the model/,
  },
  {
    id: 'a tensor too few',
    entries: trainable,
    options: {},
    message: /not in the file: backbone\.weight.* load_pretrained with strict: false\.$/,
  },
  { id: 'a tensor too many', entries: { ...whole, extra: [1] }, options: {}, message: /only in the file: extra/ },
  {
    id: 'a missing trainable tensor',
    entries: { 'head.bias': [10] },
    options: { mode: 'trainable_only' },
    message: /not in the file: head\.weight\./,
  },
  {
    id: 'a prefix that nobody cuts off',
    entries: { 'module.head.bias': [10], 'module.head.weight': [10, 4] },
    options: { mode: 'partial' },
    message: /no tensor fits at all\. Without 'module\.' names agree: set strip_prefix: module\. in load_pretrained\.$/,
  },
  { id: 'nothing that fits', entries: { x: [1] }, options: { mode: 'partial' }, message: /no tensor fits at all/ },
])('$id is another model', ({ entries, options, message }) => {
  const call = () => matchStateDict(model, file(entries), options, 'best/model.safetensors');
  expect(call).toThrow(expect.objectContaining({ code: 'checkpoint.other-model' }));
  expect(call).toThrow(message);
});

test('a prefix that makes two names one is refused', () => {
  const entries = file({ 'm.head.bias': [10], 'head.bias': [10] });
  expect(() => matchStateDict(model, entries, { mode: 'partial', strip_prefix: 'm.' }, 'x')).toThrow(
    expect.objectContaining({ code: 'checkpoint.prefix' }),
  );
});
