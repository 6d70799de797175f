/** Doubling delay: `firstMs` after the first failure, never more than `maxMs`. `failures` counts from 1. */
export function backoffMs(failures: number, firstMs: number, maxMs: number): number {
  if (failures < 1) return 0
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 40), maxMs)
}
