/** Which worker thread this is; as torch.utils.data.get_worker_info. */
export interface WorkerInfo {
  readonly id: number;
  readonly num_workers: number;
}

let info: WorkerInfo | undefined;

/** The worker thread that this code runs in; undefined in the training process itself. */
export function getWorkerInfo(): WorkerInfo | undefined {
  return info;
}

export function setWorkerInfo(value: WorkerInfo): void {
  info = value;
}
