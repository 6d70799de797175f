import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { findPlace } from './cgroups.ts'
import { listenersOf, parseListeners } from './listeners.ts'
import { type Process, type ProcessTable, parseStat, processesOf, straysOf } from './processes.ts'
import { maxOpenFiles } from './tools.ts'

const rest = '0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0'

test('a process name may hold brackets and spaces', () => {
  assert.deepEqual(parseStat(`42 (a) S (b)) S 1 40 41 0 -1 ${rest}`), {
    pid: 42,
    parent: 1,
    group: 40,
    session: 41,
    zombie: false,
    startTicks: 777,
  })
  assert.equal(parseStat(`42 (x) Z 1 40 41 0 -1 ${rest}`)?.zombie, true)
  assert.equal(parseStat('nonsense'), undefined)
})

function tableOf(
  processes: (Partial<Process> & { pid: number; id?: string; uid?: number; output?: string })[],
): ProcessTable {
  const all = processes.map((p) => ({ parent: 1, group: p.pid, session: p.pid, zombie: false, startTicks: 100, ...p }))
  const find = (pid: number) => all.find((p) => p.pid === pid)
  return {
    all: () => all,
    one: find,
    idOf: (pid) => find(pid)?.id,
    uidOf: (pid) => find(pid)?.uid,
    outputsOf: (pid) => [find(pid)?.output ?? ''],
  }
}

const identity = { id: 'ins-1', pid: 10, startTicks: 100, uid: 7, pipe: '/fifos/ins-1' }
const pidsOf = (table: ProcessTable, members = new Set<number>(), who = identity) =>
  processesOf(who, table, members).map(({ pid }) => pid)

test('session, group, id, cgroup and descent make a process belong', () => {
  const table = tableOf([
    { pid: 10 },
    { pid: 11, session: 10, group: 11 },
    { pid: 12, group: 10, session: 9 },
    { pid: 13, id: 'ins-1', uid: 7 },
    { pid: 14, parent: 13 },
    { pid: 15, parent: 14 },
    { pid: 16 },
    { pid: 17, id: 'ins-2', uid: 7 },
    { pid: 18 },
    { pid: 20, uid: 7, output: '/fifos/ins-1' },
    { pid: 21, uid: 8, output: '/fifos/ins-1' },
    { pid: 19, session: 10, zombie: true },
  ])
  assert.deepEqual(pidsOf(table, new Set([16])), [10, 11, 12, 13, 14, 15, 16, 20])
})

test('a reused pid, an older process and a foreign claim do not', () => {
  const reused = tableOf([
    { pid: 10, startTicks: 200 },
    { pid: 11, session: 10, startTicks: 201 },
  ])
  assert.deepEqual(pidsOf(reused), [])
  assert.deepEqual(pidsOf(tableOf([{ pid: 20, id: 'ins-1', uid: 8 }])), [], 'another uid may write what it likes')
  assert.deepEqual(
    pidsOf(tableOf([{ pid: 20, id: 'ins-1', uid: 7, startTicks: 99 }])),
    [],
    'it is older than the instance',
  )
})

test('strays are those under the uid that belong to no other instance and live in a place of ours', () => {
  const table = tableOf([
    { pid: 20, uid: 7 },
    { pid: 30, uid: 7 },
    { pid: 31, uid: 7, session: 30 },
    { pid: 40, uid: 8 },
    { pid: 50, uid: 7 },
  ])
  const others = [{ id: 'ins-2', pid: 30, startTicks: 100, uid: 7, pipe: '/fifos/ins-2' }]
  assert.deepEqual(
    straysOf(7, others, table, (pid) => pid !== 50).map(({ pid }) => pid),
    [20],
  )
})

test('listening sockets are read from the kernel’s tables', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
    '   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 112 1 0 100 0 0 10 0',
    '   2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 113 1',
    '   3: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 114 1',
    '   4: B80D0120000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 115 1',
    '   5: 0000000000000000FFFF00000100007F:0053 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 116 1',
  ].join('\n')
  assert.deepEqual(
    parseListeners(table).map(({ inode, host, port }) => [inode, host, port]),
    [
      ['111', '127.0.0.1', 8080],
      ['113', '::1', 80],
      ['114', '::', 81],
      ['115', '2001:db8::1', 82],
      ['116', '127.0.0.1', 83],
    ],
  )
})

test('a process’s listeners are found among many others and many connections', async () => {
  const servers = Array.from({ length: 60 }, (_, n) => createServer().listen(0, n % 2 ? '127.0.0.1' : '::1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const sockets = servers.flatMap((server) => {
    const { port, address } = server.address() as AddressInfo
    return Array.from({ length: 5 }, () => connect(port, address))
  })
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const expected = servers.map((server) => server.address() as AddressInfo).map((at) => `${at.address} ${at.port}`)
  const found = listenersOf([process.pid]).map(({ host, port }) => `${host} ${port}`)
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  assert.deepEqual(found.sort(), expected.sort())
})

test('the place for control groups is below the supervisor’s own, in both versions', () => {
  const v1 = [
    '30 29 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '31 29 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
    '32 29 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ].join('\n')
  assert.deepEqual(findPlace(v1, '4:memory:/box/1\n8:pids:/\n0::/'), {
    version: 'v1',
    memory: '/sys/fs/cgroup/memory/box/1',
    pids: '/sys/fs/cgroup/pids',
  })
  const v2 = '30 29 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
  const unified = '/sys/fs/cgroup/system.slice/gantry.service'
  assert.deepEqual(findPlace(v2, '0::/system.slice/gantry.service'), { version: 'v2', memory: unified, pids: unified })
  assert.equal(findPlace('', ''), undefined)
})

test('the hard limit of open files is read', () => {
  assert.equal(
    maxOpenFiles(
      'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n',
    ),
    524_288,
  )
  assert.equal(maxOpenFiles('Max open files            unlimited            unlimited            files\n'), 1_048_576)
})
