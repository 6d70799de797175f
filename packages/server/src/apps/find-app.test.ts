import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noSuchEnvironment } from './find-app.ts'

const told: readonly [idOrLabel: string, message: RegExp][] = [
  ['nope', /^There is no app nope,/],
  ['staging--shop', /^There is no environment staging of an app shop,/],
  ['env-01m7yzs6wfysztrnj6hzh8kkkm', /^There is no environment env-01m7yzs6wfysztrnj6hzh8kkkm,/],
  ['env-shop', /^There is no app env-shop,/],
]

for (const [idOrLabel, message] of told) {
  test(`${idOrLabel} that is not there is told in the words of whoever asked`, () => {
    assert.match(noSuchEnvironment(idOrLabel).message, message)
  })
}
