/** Something with a life that its owner ends. Disposing twice is allowed and does nothing the second time. */
export interface Disposable {
  dispose(): void | Promise<void>;
}
