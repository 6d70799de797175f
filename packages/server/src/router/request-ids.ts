/** Makes request ids: unique, not secret. `start`: eight random bytes that no other router has. */
export function createRequestIds(start: Uint8Array): () => string {
  const prefix = Buffer.from(start).toString('hex')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
