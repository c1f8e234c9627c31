import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { prepareComposition } from '../../../../engine/config/compose/prepare.ts';
import type { ComposeRequest } from '../../../../engine/config/compose/request.ts';
import { ConfigError } from '../../../../engine/config/errors.ts';

const FILES: Readonly<Record<string, string>> = {
  'config.yaml': 'defaults:\n  - model: resnet\n  - data@dict: mnist\n  - _self_\nseed: 1\n',
  'model/resnet.yaml': 'defaults:\n  - backbone: r18\ndepth: 18\n',
  'model/vit.yaml': 'defaults:\n  - backbone: r50\n  - _self_\ndepth: 12\n',
  'model/backbone/r18.yaml': 'width: 64\n',
  'model/backbone/r50.yaml': 'width: 256\n',
  'data/mnist.yaml': 'name: mnist\n',
  'data/cifar.yaml': 'name: cifar\n',
  'experiment/big.yaml':
    '# @package _global_\ndefaults:\n  - override /model: vit\n  - override /data@dict: cifar\nseed: 2\n',
  'experiment/lost.yaml': 'defaults:\n  - override /model: vit\n',
  'logger/csv.yaml': '# @package log.csv\nto: file\n',
  'logger/legacy.yaml': '# @package _group_._name_\nto: file\n',
  'interp.yaml': 'defaults:\n  - model: resnet\n  - optional tuned: ${model}_tuned\n  - logger: csv\n',
  'tuned/resnet_tuned.yaml': 'lr: 0.5\n',
  'loop.yaml': 'defaults:\n  - loop\n',
  'mandatory.yaml': 'defaults:\n  - model: ???\n',
  'both.yaml': 'defaults:\n  - logger: [csv, legacy]\n',
  'shorthand.yaml': 'defaults:\n  - model: backbone/r18\n',
  'backwards.yaml': 'defaults:\n  - override model: vit\n  - model: resnet\n',
};

function prepare(configName: string | undefined, overrides: readonly string[], more: Partial<ComposeRequest> = {}) {
  const { defaults, choices } = prepareComposition({
    searchPath: [new MemorySource(FILES, { displayPrefix: 'conf/' })],
    configName,
    overrides,
    ...more,
  });
  return {
    list: defaults
      .filter(({ configPath }) => !configPath.startsWith('hydra/'))
      .map((item) => `${item.configPath}@${item.package}${item.isSelf ? ' _self_' : ''}`),
    choices: Object.fromEntries([...choices.known].filter(([key]) => !key.startsWith('hydra/'))),
  };
}

describe('the final defaults list', () => {
  test.each([
    {
      id: 'nested groups, _self_ implied and given',
      config: 'config',
      overrides: [],
      list: ['model/backbone/r18@model.backbone', 'model/resnet@model _self_', 'data/mnist@dict', 'config@ _self_'],
      choices: { 'data@dict': 'mnist', model: 'resnet', 'model/backbone': 'r18' },
    },
    {
      id: 'another option, with what it includes',
      config: 'config',
      overrides: ['model=vit'],
      list: ['model/backbone/r50@model.backbone', 'model/vit@model _self_', 'data/mnist@dict', 'config@ _self_'],
      choices: { 'data@dict': 'mnist', model: 'vit', 'model/backbone': 'r50' },
    },
    {
      id: 'an experiment that overrides other groups, and the command line above it',
      config: 'config',
      overrides: ['+experiment=big', 'model/backbone=r18'],
      list: [
        'model/backbone/r18@model.backbone',
        'model/vit@model _self_',
        'data/cifar@dict',
        'config@ _self_',
        'experiment/big@',
      ],
      choices: { experiment: 'big', 'data@dict': 'cifar', model: 'vit', 'model/backbone': 'r18' },
    },
    {
      id: 'a deleted group',
      config: 'config',
      overrides: ['~data@dict=mnist', '~model/backbone'],
      list: ['model/resnet@model _self_', 'config@ _self_'],
      choices: { model: 'resnet' },
    },
    {
      id: 'an interpolated entry and a package header',
      config: 'interp',
      overrides: [],
      list: [
        'model/backbone/r18@model.backbone',
        'model/resnet@model _self_',
        'tuned/resnet_tuned@tuned',
        'logger/csv@log.csv',
        'interp@ _self_',
      ],
      choices: { logger: 'csv', model: 'resnet', 'model/backbone': 'r18', tuned: 'resnet_tuned' },
    },
    {
      id: 'an optional entry that is not there',
      config: 'interp',
      overrides: ['model=vit'],
      list: ['model/backbone/r50@model.backbone', 'model/vit@model _self_', 'logger/csv@log.csv', 'interp@ _self_'],
      choices: { logger: 'csv', model: 'vit', 'model/backbone': 'r50', tuned: 'vit_tuned' },
    },
    {
      id: 'several options of one group',
      config: 'both',
      overrides: [],
      list: ['logger/csv@log.csv', 'logger/legacy@_group_._name_', 'both@ _self_'],
      choices: {},
    },
    {
      id: 'the shorthand group: sub/option',
      config: 'shorthand',
      overrides: [],
      list: ['model/backbone/r18@model.backbone', 'shorthand@ _self_'],
      choices: { 'model/backbone': 'r18' },
    },
    {
      id: 'a primary config in a group',
      config: 'model/resnet',
      overrides: [],
      list: ['model/backbone/r18@model.backbone', 'model/resnet@model _self_'],
      choices: { 'model/backbone': 'r18' },
    },
    { id: 'no primary config', config: undefined, overrides: [], list: [], choices: {} },
  ])('holds $id', ({ config, overrides, list, choices }) => {
    expect(prepare(config, overrides)).toEqual({ list, choices });
  });

  test('_group_ and _name_ mean something again under version base 1.3', () => {
    expect(prepare('both', [], { versionBase: '1.3' }).list).toContain('logger/legacy@logger.legacy');
  });

  test('open choices and sweeps are allowed in a multirun', () => {
    expect(prepare('mandatory', ['seed=1,2'], { mode: 'multirun' }).list).toEqual(['mandatory@ _self_']);
  });
});

function failure(config: string, overrides: readonly string[]): ConfigError {
  try {
    prepare(config, overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the composition did not fail');
}

describe('errors', () => {
  test.each([
    {
      id: 'an unknown option',
      config: 'config',
      overrides: ['model=resnte'],
      exception: 'MissingConfigException',
      message: "In 'config': Could not find 'model/resnte'",
      told: ["Did you mean 'resnet'?", 'at conf/config.yaml:2:5', "in the primary config 'config'"],
    },
    {
      id: 'a group that nothing lists',
      config: 'config',
      overrides: ['logger=csv'],
      exception: 'ConfigCompositionException',
      message:
        "Could not override 'logger'. No match in the defaults list.\nTo append to your default list use +logger=csv",
      told: ['override 1 (logger=csv)'],
    },
    {
      id: 'a choice made twice',
      config: 'config',
      overrides: ['+model=vit'],
      exception: 'ConfigCompositionException',
      message: "Multiple values for model. To override a value use 'override model: vit'",
      told: ['model'],
    },
    {
      id: 'an override of something that is not there',
      config: 'config',
      overrides: ['+experiment=lost'],
      exception: 'ConfigCompositionException',
      message: "In 'experiment/lost': Invalid Defaults List override '/model: vit'.",
      told: ['conf/experiment/lost.yaml:2:5', "'experiment/lost' included at override 1 (+experiment=lost)"],
    },
    {
      id: 'a config that includes itself',
      config: 'loop',
      overrides: [],
      exception: 'RecursionError',
      message: "Recursive defaults: 'loop' includes itself: loop → loop → loop",
      told: ['conf/loop.yaml:2:5'],
    },
    {
      id: 'a mandatory choice',
      config: 'mandatory',
      overrides: [],
      exception: 'ConfigCompositionException',
      message: "You must specify 'model', e.g, model=<OPTION>\nAvailable options:\n\tresnet\n\tvit",
      told: ['conf/mandatory.yaml:2:5'],
    },
    {
      id: 'an override before what it overrides',
      config: 'backwards',
      overrides: [],
      exception: 'ConfigCompositionException',
      message: "In backwards: Override 'model : vit' is defined before 'model: resnet'.",
      told: ['conf/backwards.yaml:2:5'],
    },
    {
      id: 'a primary config that is not there',
      config: 'confg',
      overrides: [],
      exception: 'MissingConfigException',
      message: "Cannot find primary config 'confg'.",
      told: ["Did you mean 'config'?"],
    },
    {
      id: 'a sweep outside a multirun',
      config: 'config',
      overrides: ['model=resnet,vit'],
      exception: 'ConfigCompositionException',
      message: "Ambiguous value for argument 'model=resnet,vit'",
      told: ['--multirun'],
    },
  ])('name the entry: $id', ({ config, overrides, exception, message, told }) => {
    const error = failure(config, overrides);
    expect(error.exception).toBe(exception);
    expect(error.message.startsWith(message)).toBe(true);
    for (const part of told) expect(error.describe()).toContain(part);
    const lines = error.describe().split('\n');
    expect(lines).toEqual([...new Set(lines)]);
  });
});
