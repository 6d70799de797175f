import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Process, ProcessTable } from '../instances/processes.ts'
import { findPrograms, programMark } from './find-programs.ts'

interface Row extends Partial<Process> {
  readonly pid: number
  readonly id?: string
  readonly uid?: number
}

function tableOf(rows: readonly Row[]): Pick<ProcessTable, 'all' | 'idOf' | 'uidOf'> {
  const all = rows.map((row): Process => {
    const { pid } = row
    return { parent: 1, group: pid, session: pid, zombie: false, startTicks: pid, ...row }
  })
  return {
    all: () => all,
    idOf: (pid) => rows.find((row) => row.pid === pid)?.id,
    uidOf: (pid) => rows.find((row) => row.pid === pid)?.uid ?? 7,
  }
}

const router = programMark('router', 'home')
const nameByLending = (pid: number) => (pid === lender ? 'router' : undefined)
const found = (...rows: Row[]) =>
  findPrograms({ homeKey: 'home', uids: new Set([0, 7]), table: tableOf(rows), nameByLending }).map(
    ({ name, pid }) => `${name} ${pid}`,
  )

// Pids beyond any that Linux gives, so that what is read of the real /proc for them is nothing.
const [a, b, lender] = [90_000_001, 90_000_002, 90_000_003]

test('programs of this home are found by their mark, the newest first', () => {
  assert.deepEqual(found({ pid: a, id: router }, { pid: b, id: programMark('control-plane', 'home') }), [
    `control-plane ${b}`,
    `router ${a}`,
  ])
})

test('neither another home, nor an instance, nor a child, nor the dead, nor another user is believed', () => {
  assert.deepEqual(found({ pid: a, id: programMark('router', 'other') }, { pid: b, id: 'ins-1' }), [])
  assert.deepEqual(found({ pid: a, id: router, group: 5 }, { pid: b, id: router, zombie: true }), [])
  assert.deepEqual(found({ pid: a, id: router, uid: 200_000 }, { pid: b }), [])
})

test('where environments cannot be read a program is known by its lending socket, but never a process of root', () => {
  assert.deepEqual(found({ pid: lender }), [`router ${lender}`])
  assert.deepEqual(found({ pid: lender, uid: 0 }), [])
})
