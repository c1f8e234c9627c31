import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { message } from './eventProto.ts';

/**
 * HParamsPluginData of TensorBoard's hparams plugin (tensorboard/plugins/hparams/{plugin_data,api}.proto, version 0).
 */

export type HyperparameterValue = string | number | boolean;

export interface ExperimentInfo {
  readonly name: string;
  readonly createdSeconds: number;
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  /** Tags of scalars that tell how good a run is. */
  readonly metrics: readonly string[];
}

export function experimentData(info: ExperimentInfo): Uint8Array {
  return pluginData(2, (experiment) => {
    experiment.tag(3, WireType.Bit64).double(info.createdSeconds);
    for (const [name, value] of Object.entries(info.hyperparameters)) {
      message(experiment, 4, (it) => {
        it.tag(1, WireType.LengthDelimited).string(name).tag(4, WireType.Varint).int32(dataType(value));
      });
    }
    for (const tag of info.metrics) {
      message(experiment, 5, (it) => message(it, 1, (name) => name.tag(2, WireType.LengthDelimited).string(tag)));
    }
    experiment.tag(6, WireType.LengthDelimited).string(info.name);
  });
}

export function sessionStartData(
  hyperparameters: Readonly<Record<string, HyperparameterValue>>,
  group: string,
  startSeconds: number,
): Uint8Array {
  return pluginData(3, (session) => {
    for (const [name, value] of Object.entries(hyperparameters)) {
      message(session, 1, (entry) => {
        entry.tag(1, WireType.LengthDelimited).string(name);
        message(entry, 2, (it) => writeValue(it, value));
      });
    }
    session.tag(4, WireType.LengthDelimited).string(group).tag(5, WireType.Bit64).double(startSeconds);
  });
}

export function sessionEndData(status: 'completed' | 'failed', endSeconds: number): Uint8Array {
  return pluginData(4, (session) => {
    session.tag(1, WireType.Varint).int32(status === 'completed' ? 1 : 2);
    session.tag(2, WireType.Bit64).double(endSeconds);
  });
}

function pluginData(field: number, write: (inner: BinaryWriter) => void): Uint8Array {
  return message(new BinaryWriter(), field, write).finish();
}

/** google.protobuf.Value */
function writeValue(writer: BinaryWriter, value: HyperparameterValue): void {
  if (typeof value === 'number') writer.tag(2, WireType.Bit64).double(value);
  else if (typeof value === 'string') writer.tag(3, WireType.LengthDelimited).string(value);
  else writer.tag(4, WireType.Varint).bool(value);
}

function dataType(value: HyperparameterValue): number {
  if (typeof value === 'string') return 1;
  return typeof value === 'boolean' ? 2 : 3;
}
