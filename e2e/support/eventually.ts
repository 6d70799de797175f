/** Tries until the check stops throwing; at the deadline it throws what the last try threw. */
export async function eventually<T>(what: string, check: () => Promise<T> | T, deadlineMs = 60_000): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: error })
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
