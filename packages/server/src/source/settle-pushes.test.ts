import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createHosted, endsAs, type Hosted } from '../../test/support/source.ts'
import type { Database } from '../db/database.ts'

describe('a push during which the database goes away', () => {
  let hosted: Hosted
  before(async () => {
    hosted = await createHosted()
  })
  after(() => hosted.close())

  /** Does not answer so many times when a push is said to be so. */
  function away(status: string, times: number): Database {
    const { db } = hosted.database
    const query: Database['query'] = async (sql, parameters = []) => {
      const isIt = sql.startsWith('update pushes') && parameters.includes(status)
      if (isIt && times-- > 0) throw new Error('Connection terminated unexpectedly')
      return await db.query(sql, parameters)
    }
    return { ...db, query, transaction: (body) => db.transaction(body) }
  }

  for (const status of ['reverting', 'reverted']) {
    it(`is ${status} when it is back`, async () => {
      await hosted.restart({ db: away(status, 3) })
      const tree = await hosted.workingTree()
      hosted.deploys.script = endsAs('failed', 'it failed')
      assert.equal((await tree.push('-f', 'origin', 'main')).code, 1)
      assert.equal((await hosted.pushes()).at(-1)?.status, 'reverted')
    })
  }

  it('is rejected when it is back', async () => {
    await hosted.restart({ db: away('rejected', 3) })
    const tree = await hosted.workingTree()
    hosted.deploys.failure = new Error('cannot be recorded')
    assert.equal((await tree.push('-f', 'origin', 'main')).code, 1)
    assert.equal((await hosted.pushes()).at(-1)?.status, 'rejected')
  })
})
