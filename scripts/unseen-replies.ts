/** Prints which pairs of operation and status no test has produced: `unseen-replies.ts FILE`, a line `get_app 200` each. */
import { readFileSync } from 'node:fs'
import { buildOpenapi } from '@gantry/api'
import { documentedPairs } from '../packages/server/test/support/validate-responses.ts'

const [file] = process.argv.slice(2)
if (!file) throw new Error('the file of recorded pairs is missing')
const seen = new Set(readFileSync(file, 'utf8').split('\n'))
const pairs = documentedPairs(buildOpenapi())
const unseen = pairs.filter((pair) => !seen.has(pair)).map((pair) => pair.split(' '))
const byStatus = Map.groupBy(unseen, ([, status]) => status ?? '')
console.log(
  `${pairs.length - unseen.length} of ${pairs.length} documented replies were produced and held to the document`,
)
for (const [status, rows] of [...byStatus].sort()) {
  const names = rows.map(([operation]) => operation)
  const all = pairs.filter((pair) => pair.endsWith(` ${status}`)).length
  console.log(`not produced, ${status}: ${names.length > all / 2 ? `${names.length} of ${all}` : names.join(', ')}`)
}
