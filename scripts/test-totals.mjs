/** A reporter for node:test that writes what `npm test` sums up: counts, failures, and every skipped test with its reason. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter by its default export
export default async function* totals(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const skipped = []
  const failed = []
  for await (const { type, data } of source) {
    if (data?.details?.type === 'suite') continue
    const where = `${data?.name} (${data?.file ?? ''})`
    if (type === 'test:fail') {
      counts.failed++
      failed.push(where)
    } else if (type === 'test:pass' && data.skip !== undefined) {
      counts.skipped++
      skipped.push(`${where}${typeof data.skip === 'string' && data.skip ? `: ${data.skip}` : ''}`)
    } else if (type === 'test:pass') counts.passed++
  }
  yield JSON.stringify({ ...counts, skippedTests: skipped, failedTests: failed })
}
