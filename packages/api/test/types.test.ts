import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  App,
  BodyOf,
  CallArguments,
  createDeploy,
  createSource,
  deleteApp,
  getApp,
  ItemOf,
  LogEvent,
  listApps,
  ParamsOf,
  QueryOf,
  ReplyOf,
  streamDeployLog,
} from '../src/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(yes: Same<A, B>) => assert.equal(yes, true)

test('types follow from endpoints (checked by the compiler)', () => {
  same<ReplyOf<typeof getApp>, App>(true)
  same<ItemOf<typeof listApps>, App>(true)
  same<ReplyOf<typeof deleteApp>, undefined>(true)
  same<ParamsOf<typeof getApp>, { readonly id: string }>(true)
  same<QueryOf<typeof listApps>['limit'], number>(true)
  same<BodyOf<typeof createSource>, undefined>(true)
  same<BodyOf<typeof createDeploy>['kind'], 'upload' | 'commit' | 'rollback'>(true)
  same<ReplyOf<typeof streamDeployLog>, AsyncIterable<LogEvent>>(true)
  same<CallArguments<typeof getApp>['length'], 1>(true)
  same<CallArguments<typeof listApps>['length'], 0 | 1>(true)
})
