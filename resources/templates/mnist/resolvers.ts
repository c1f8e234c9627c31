/** `${scale_lr:base,batch,reference}`: the linear scaling rule, lr = base · batch / reference (Goyal et al. 2017). */
export function scale_lr(base: number, batchSize: number, reference: number): number {
  return (base * batchSize) / reference;
}
