import { z } from 'zod';
import { MeasuredNumber } from './number.ts';

/** What a model takes and gives, stated by the trainer or model (`inference_signature`); the panel draws its input from it. */
export const InputSignature = z.discriminatedUnion('type', [
  /** float32 image, values in [0, 1], shape [height, width, channels]. */
  z.object({ type: z.literal('image'), height: z.number().int(), width: z.number().int(), channels: z.number().int() }),
  z.object({ type: z.literal('text'), maxLength: z.number().int().optional(), placeholder: z.string().optional() }),
  /** Any other tensor; the shape has the batch first, null where any size will do. dtype: float32, int32 or bool. */
  z.object({ type: z.literal('tensor'), shape: z.array(z.number().int().nullable()), dtype: z.string() }),
]);
export type InputSignature = z.infer<typeof InputSignature>;

export const OutputSignature = z.discriminatedUnion('type', [
  z.object({ type: z.literal('classes'), names: z.array(z.string()) }),
  /**
   * Several may hold at once; those from the threshold on (0.5 unless said) count as given until a person moves it. What a
   * model's `call` gives are logits, unless `fromLogits` is false: then they are probabilities already.
   */
  z.object({
    type: z.literal('labels'),
    names: z.array(z.string()),
    threshold: z.number().min(0).max(1).optional(),
    fromLogits: z.boolean().optional(),
  }),
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('tensor'), shape: z.array(z.number().int().nullable()) }),
]);
export type OutputSignature = z.infer<typeof OutputSignature>;

/** A number or choice a person may set before predicting (temperature, length…). */
export const InferenceArgument = z.object({
  name: z.string(),
  type: z.enum(['number', 'integer', 'boolean']),
  default: z.union([z.number(), z.boolean()]),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  description: z.string().optional(),
});
export type InferenceArgument = z.infer<typeof InferenceArgument>;

export const ModelSignature = z.object({
  input: InputSignature,
  output: OutputSignature,
  arguments: z.array(InferenceArgument),
});
export type ModelSignature = z.infer<typeof ModelSignature>;

export const SessionInfo = z.object({
  sessionId: z.string(),
  runId: z.string(),
  checkpoint: z.string(),
  step: z.number().int(),
  epoch: z.number().int(),
  signature: ModelSignature,
  backend: z.string(),
  parameters: z.number().int(),
  /** Whether the checkpoint has averaged weights (trainer.ema) beside the last step's own, and which of them answer. */
  hasAverages: z.boolean(),
  isAveraged: z.boolean(),
  /** Splits of the run's data that samples can be picked from. */
  splits: z.array(z.string()),
});
export type SessionInfo = z.infer<typeof SessionInfo>;

export const PredictInput = z.discriminatedUnion('type', [
  /** Row-major [height, width, channels] values in [0, 1]. */
  z.object({ type: z.literal('image'), pixels: z.instanceof(Float64Array) }),
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('tensor'), shape: z.array(z.number().int()), values: z.instanceof(Float64Array) }),
  /** An item of one of the session's splits. */
  z.object({ type: z.literal('sample'), split: z.string(), index: z.number().int().nonnegative() }),
]);
export type PredictInput = z.infer<typeof PredictInput>;

const NamedProbability = z.object({ name: z.string(), probability: MeasuredNumber });

export const Prediction = z.object({
  output: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('classes'),
      /** Sorted by probability, highest first. */
      classes: z.array(NamedProbability),
    }),
    z.object({
      type: z.literal('labels'),
      /** Each with a probability of its own, highest first. */
      labels: z.array(NamedProbability),
    }),
    z.object({ type: z.literal('text'), text: z.string() }),
    z.object({ type: z.literal('tensor'), shape: z.array(z.number().int()), values: z.array(MeasuredNumber) }),
  ]),
  /** The true answer where the sample has one. */
  expected: z.string().optional(),
  /** Something about how this session computes that a person should know. */
  note: z.string().optional(),
  elapsedMs: z.number(),
});
export type Prediction = z.infer<typeof Prediction>;

/** Thumbnails of a split: images as row-major values in [0, 1], texts as they are. */
export const SamplePage = z.object({
  split: z.string(),
  total: z.number().int(),
  offset: z.number().int(),
  samples: z.array(
    z.object({
      index: z.number().int(),
      label: z.string().optional(),
      pixels: z.instanceof(Float64Array).optional(),
      text: z.string().optional(),
    }),
  ),
});
export type SamplePage = z.infer<typeof SamplePage>;
