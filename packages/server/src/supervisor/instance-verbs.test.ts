import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Refusal, type SpawnSpec } from './protocol.ts'
import {
  appUid,
  eventually,
  fence,
  isRoot,
  otherUid,
  processesWith,
  specOf,
  startTestSupervisor,
  type TestSupervisor,
  untilEnded,
  writeTree,
} from './test-supervisor.fixture.ts'

const asRoot = { skip: isRoot ? false : 'NOT ROOT: uids of their own are not tested' }

describe('the supervisor runs instances and tasks', () => {
  let supervisor: TestSupervisor
  let count = 0
  before(async () => {
    supervisor = await startTestSupervisor()
    supervisor.artifact('empty', {})
  })
  after(() => supervisor.close())

  const newId = (): string => `ins-${process.pid}x${count++}x`
  const start = async (id: string, line: string, overrides: Partial<SpawnSpec> = {}): Promise<void> => {
    const spec = specOf(supervisor, { id, command: { kind: 'shell', line }, ...overrides })
    await supervisor.client.call('start', { spec, fence })
  }
  const stop = (id: string, graceMs = 300) => supervisor.client.call('stop', { id, graceMs, fence })
  const forget = (id: string) => supervisor.client.call('forget', { id, fence })
  const texts = (id: string): string[] => supervisor.lines(`app/app-test/${id}`).map(({ text }) => text)
  const printed = (id: string, what: RegExp) =>
    eventually(`${id} prints ${what}`, () => texts(id).find((line) => what.test(line)))

  test('what cannot be written down is not started, and has ended: it can be stopped and forgotten', async () => {
    const id = newId()
    const inTheWay = join(supervisor.home, 'state/instances', `${id}.json.tmp`)
    mkdirSync(inTheWay)
    await start(id, 'sleep 100')
    const [seen] = await supervisor.client.call('observe', { ids: [id] })
    assert.equal(seen?.state, 'ended')
    assert.equal(seen?.exit?.reason, 'start_failed')
    await stop(id)
    rmSync(inTheWay, { recursive: true })
    await forget(id)
    assert.deepEqual(await supervisor.client.call('observe', { ids: [id] }), [])
  })

  test('with a private environment, folder, limits and uid', async () => {
    const id = newId()
    const path = supervisor.artifact('app-1/one', {
      'a.txt': 'content',
      bin: '#!/bin/sh\necho ok',
      link: { link: '/etc/hostname' },
    })
    const layer = join(supervisor.home, 'layers/app-1/lay-1')
    writeTree(join(supervisor.home, 'layers/app-1'), {})
    writeTree(layer, { 'x.js': 'x' })
    await start(
      id,
      'env; pwd; umask; ulimit -n; echo changed >> a.txt; ./bin; ls -l; id -u; id -g; cat node_modules/x.js',
      {
        env: { A: 'b c', HOME: '/elsewhere' },
        limits: { openFiles: 123 },
        place: { kind: 'copy', path, links: { node_modules: layer } },
      },
    )
    assert.deepEqual((await untilEnded(supervisor, id)).exit?.code, 0)
    const lines = texts(id)
    const folder = join(supervisor.home, 'run/instances', id)
    for (const line of [
      `GANTRY_INSTANCE_ID=${id}`,
      'A=b c',
      'HOME=/elsewhere',
      `TMPDIR=${folder}/tmp`,
      `${folder}/app`,
      '123',
      'ok',
      'x',
    ])
      assert.ok(lines.includes(line), `${line} in ${lines.join('\n')}`)
    assert.ok(lines.includes(String(appUid)))
    assert.equal(
      lines.some((line) => line.startsWith('LD_') || line.startsWith('GANTRY_HOME')),
      false,
    )
    assert.equal(readFileSync(join(path, 'a.txt'), 'utf8'), 'content', 'the artifact is untouched')
    assert.equal(readFileSync(join(folder, 'app/a.txt'), 'utf8'), 'contentchanged\n')
    assert.equal(statSync(join(path, 'a.txt')).nlink, 1)
    assert.equal(readlinkSync(join(folder, 'app/link')), '/etc/hostname')
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    await forget(id)
    assert.equal(existsSync(folder), false)
  })

  test('and copies a large artifact just as well', async () => {
    const id = newId()
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`d${i % 7}/f${i}`, i === 3 ? '#!/bin/sh\necho exe' : `${i}`]),
    )
    const path = supervisor.artifact('app-1/large', { ...files, l: { link: 'd0' } })
    const layer = join(supervisor.home, 'layers/app-1')
    writeTree(layer, {})
    writeTree(join(layer, 'lay-2'), {})
    await start(id, 'find . -type f | wc -l; d3/f3; echo more >> d1/f1; readlink l; readlink m; ls -ld .', {
      place: { kind: 'copy', path, links: { m: join(layer, 'lay-2') } },
    })
    assert.equal((await untilEnded(supervisor, id)).exit?.code, 0)
    assert.deepEqual(texts(id).slice(0, 4), ['400', 'exe', 'd0', join(layer, 'lay-2')])
    assert.match(texts(id)[4] ?? '', /^drwx------/)
    await forget(id)
  })

  test('an artifact outside, or through a link, is refused and leaves nothing', async () => {
    const id = newId()
    supervisor.artifact('app-1/hostile', { 'in/x': 'x', out: { link: '/etc' } })
    const bad = [
      '/etc',
      'artifacts',
      'artifacts/../keys',
      'artifacts/app-1/hostile/out/ssl',
      'artifacts/missing',
      'builds/x',
    ]
    for (const path of bad.map((name) =>
      name.startsWith('/') ? name : join(supervisor.home, '.').slice(0, -1) + name,
    )) {
      await assert.rejects(
        start(id, 'true', { place: { kind: 'copy', path, links: {} } }),
        /SpecRejected|Refusal/,
        path,
      )
    }
    const place = {
      kind: 'copy',
      path: join(supervisor.home, 'artifacts/empty'),
      links: { '../x': join(supervisor.home, 'layers/a') },
    } as const
    await assert.rejects(start(id, 'true', { place }), /not a name/)
    assert.equal(existsSync(join(supervisor.home, 'run/instances', id)), false)
    assert.deepEqual(await supervisor.client.call('observe', { ids: [id] }), [])
  })

  test('root and the platform’s uids are refused', asRoot, async () => {
    for (const uid of [0, 1000, 199_999]) {
      await assert.rejects(start(newId(), 'true', { runAs: { uid, gid: appUid } }), /200000 or higher/)
      await assert.rejects(start(newId(), 'true', { runAs: { uid: appUid, gid: uid } }), /200000 or higher/)
    }
  })

  test('one app cannot read another’s folder, environment or the platform’s state', asRoot, async () => {
    const [victim, thief] = [newId(), newId()]
    await start(victim, 'echo secret > file; sleep 600', { env: { KEY: 'canary' } })
    const [status] = await supervisor.client.call('observe', { ids: [victim] })
    const folder = join(supervisor.home, 'run/instances', victim)
    const state = join(supervisor.home, 'state/instances')
    const line = `cat ${folder}/app/file; cat /proc/${status?.pid}/environ; ls ${state}; kill -9 ${status?.pid}; echo done`
    await start(thief, line, { runAs: { uid: otherUid, gid: otherUid } })
    await untilEnded(supervisor, thief)
    assert.equal(texts(thief).filter((text) => /denied|not permitted/i.test(text)).length, 4, texts(thief).join('\n'))
    assert.equal(texts(thief).join('').includes('canary'), false)
    assert.equal((await supervisor.client.call('observe', { ids: [victim] }))[0]?.state, 'running')
    await stop(victim)
  })

  test('what the app puts into the environment never acts as root', asRoot, async () => {
    const id = newId()
    await start(id, 'echo started', {
      env: { LD_PRELOAD: '/nonexistent/evil.so', LD_DEBUG: 'libs', LD_DEBUG_OUTPUT: '/tmp/gantry-test-ld' },
    })
    await untilEnded(supervisor, id)
    assert.ok(texts(id).includes('started'))
    const written = readdirSync('/tmp').filter((name) => name.startsWith('gantry-test-ld'))
    for (const name of written) assert.equal(statSync(join('/tmp', name)).uid, appUid)
    for (const name of written) await import('node:fs').then(({ rmSync }) => rmSync(join('/tmp', name)))
  })

  test('a stop leaves no process of an offender', async () => {
    const id = newId()
    const mark = `mark-${id}`
    const offender = `
      trap '' TERM HUP INT
      (trap '' TERM; exec setsid sh -c 'trap "" TERM; (setsid sleep 611 ${mark} & ) ; while :; do sleep 1; done' ${mark}) &
      (setsid setsid env -u GANTRY_INSTANCE_ID sh -c 'trap "" TERM; while :; do sleep 1; done' ${mark} & )
      (env -i PATH=/usr/bin:/bin sh -c 'trap "" TERM; while :; do sleep 1; done' ${mark} & )
      echo up
      while :; do sleep 1; done # ${mark}`
    await start(id, offender)
    await printed(id, /^up$/)
    await eventually('the offenders run', () => processesWith(mark).length >= 4)
    await stop(id, 100)
    assert.deepEqual(processesWith(mark), [])
    const [status] = await supervisor.client.call('observe', { ids: [id] })
    assert.equal(status?.exit?.reason, 'stopped')
    assert.equal(status?.exit?.signal, 'SIGKILL')
  })

  test('when the main process ends, what it started ends too', async () => {
    const id = newId()
    const mark = `mark-${id}`
    await start(id, `(setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' ${mark} &); sleep 0.2; exit 5`)
    const { exit } = await untilEnded(supervisor, id)
    assert.deepEqual([exit?.reason, exit?.code], ['exit', 5])
    assert.deepEqual(processesWith(mark), [])
  })

  test('SIGTERM reaches the program behind the shell, which may use its grace', async () => {
    const id = newId()
    const program = `process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0) }, 150)); setInterval(() => {}, 1e6); console.log('up')`
    writeTree(join(supervisor.home, 'artifacts/drain'), { 'app.js': program })
    const place = { kind: 'copy', path: join(supervisor.home, 'artifacts/drain'), links: {} } as const
    await start(id, `true && '${process.execPath}' app.js`, { place })
    await printed(id, /^up$/)
    await stop(id, 10_000)
    assert.deepEqual(texts(id), ['up', 'drained'])
    const simple = newId()
    await start(simple, 'node app.js', { place, env: { PATH: dirname(process.execPath) } })
    await printed(simple, /^up$/)
    await stop(simple, 10_000)
    assert.deepEqual(texts(simple), ['up', 'drained'])
    const [status] = await supervisor.client.call('observe', { ids: [simple] })
    assert.deepEqual([status?.exit?.reason, status?.exit?.code], ['stopped', 0])
  })

  test('a task that floods or fills the disk is stopped with the reason', async () => {
    const [flood, disk] = [newId(), newId()]
    const build = join(supervisor.home, 'builds/bld-1')
    writeTree(build, {})
    await supervisor.client.call('give', { path: build, uid: appUid, gid: appUid })
    const task = { timeoutMs: 60_000, maxOutputBytes: 100_000 }
    await start(flood, 'while :; do echo flood flood flood; done', { kind: 'task', task })
    await start(disk, 'dd if=/dev/zero of=big bs=1M count=20 2>/dev/null; sleep 600', {
      kind: 'task',
      place: { kind: 'folder', path: build },
      task: { ...task, disk: { path: build, maxBytes: 10_000_000 } },
    })
    assert.equal((await untilEnded(supervisor, flood)).exit?.reason, 'output')
    assert.equal((await untilEnded(supervisor, disk)).exit?.reason, 'disk')
  })

  test('memory is capped where there are control groups', async (t) => {
    const { cgroup } = await supervisor.client.call('hello', {})
    if (cgroup === 'none') return t.skip('NO CONTROL GROUPS: the memory limit is not tested')
    const id = newId()
    await start(
      id,
      `exec '${process.execPath}' -e "const a = []; setInterval(() => a.push(Buffer.alloc(8e6, 1)), 5)"`,
      {
        limits: { memoryBytes: 120_000_000 },
      },
    )
    assert.equal((await untilEnded(supervisor, id)).exit?.reason, 'memory')
  })

  test('everything survives a supervisor that is killed, and its output too', async () => {
    const [id, ended, idle] = [newId(), newId(), newId()]
    await start(id, 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done')
    await start(ended, 'read x < go || while [ ! -e go ]; do sleep 0.02; done; exit 7')
    await start(idle, 'exit 4')
    await untilEnded(supervisor, idle)
    await printed(id, /^line 5$/)
    const [before] = await supervisor.client.call('observe', { ids: [id] })
    await supervisor.restart(async () => {
      const folder = join(supervisor.home, 'run/instances', ended, 'app')
      writeFileSync(join(folder, 'go'), '')
      await eventually('the task ends unseen', () => processesWith(`GANTRY_INSTANCE_ID=${ended}`).length === 0)
    })
    const [now, lost, seen] = await supervisor.client.call('observe', { ids: [id, ended, idle] })
    assert.deepEqual(now, before, 'the same process, still running')
    assert.equal(lost?.exit?.reason, 'lost')
    assert.equal(seen?.exit?.code, 4, 'a status that was recorded stays')
    const last = texts(id).length
    await eventually('output goes on', () => texts(id).length > last + 20)
    const numbers = texts(id).map((line) => Number(line.split(' ')[1]))
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
      'no line is lost or doubled',
    )
    await start(id, 'echo twice')
    await stop(id)
    const [stopped] = await supervisor.client.call('observe', { ids: [id] })
    assert.equal(stopped?.exit?.reason, 'stopped')
    assert.equal(texts(id).includes('twice'), false)
  })

  test('an adopted instance that ends by itself is lost, and fences hold', async () => {
    const id = newId()
    await supervisor.client.call('stop', { id, graceMs: 1, fence: { scope: 'env-fence', number: 9 } })
    await start(id, 'while [ ! -e go ]; do sleep 0.02; done; exit 7')
    await supervisor.restart()
    assert.equal((await supervisor.client.call('observe', { ids: [id] }))[0]?.state, 'running')
    writeFileSync(join(supervisor.home, 'run/instances', id, 'app/go'), '')
    assert.equal((await untilEnded(supervisor, id)).exit?.reason, 'lost')
    const stale = { scope: 'env-fence', number: 8 }
    await assert.rejects(supervisor.client.call('stop', { id, graceMs: 1, fence: stale }), (error) => {
      return error instanceof Refusal && error.refusal === 'Fenced'
    })
  })

  test('a process whose supervisor was killed right after the spawn is found by its environment', async () => {
    const [id, never, otherBoot] = [newId(), newId(), newId()]
    await start(id, 'echo up; sleep 600')
    await start(otherBoot, 'sleep 600')
    const [before] = await supervisor.client.call('observe', { ids: [id] })
    await stop(otherBoot)
    const pathOf = (name: string): string => join(supervisor.home, 'state/instances', `${name}.json`)
    await supervisor.restart(async () => {
      const { process: _, ...intent } = JSON.parse(readFileSync(pathOf(id), 'utf8'))
      writeFileSync(pathOf(id), JSON.stringify(intent))
      writeFileSync(pathOf(never), JSON.stringify({ ...intent, id: never }))
      const { exit: __, ...running } = JSON.parse(readFileSync(pathOf(otherBoot), 'utf8'))
      writeFileSync(pathOf(otherBoot), JSON.stringify({ ...running, bootId: 'another' }))
      writeFileSync(pathOf('ins-torn'), '{"id": "ins-t')
    })
    const [found, notFound, rebooted, torn] = await supervisor.client.call('observe', {
      ids: [id, never, otherBoot, 'ins-torn'],
    })
    assert.deepEqual([found?.state, found?.pid], ['running', before?.pid])
    assert.equal(notFound?.exit?.reason, 'lost')
    assert.equal(rebooted?.exit?.reason, 'lost')
    assert.equal(torn, undefined)
    await stop(id)
  })

  test('a supervisor that is killed at any moment of a start leaves one process or none, and a truth about it', async () => {
    for (let round = 0; round < 8; round++) {
      const ids = Array.from({ length: 4 }, newId)
      const starting = Promise.allSettled(ids.map((id) => start(id, 'sleep 600')))
      await new Promise((resolve) => setTimeout(resolve, round * 3))
      await supervisor.restart()
      await starting
      for (const status of await supervisor.client.call('observe', { ids })) {
        const running = processesWith(`GANTRY_INSTANCE_ID=${status.id}`)
        if (status.state === 'running') assert.deepEqual(running, [status.pid])
        else assert.deepEqual([status.exit?.reason, running], ['lost', []])
      }
      for (const id of ids) {
        await start(id, 'sleep 600')
        assert.ok(processesWith(`GANTRY_INSTANCE_ID=${id}`).length <= 1)
        await stop(id)
        await forget(id)
      }
      assert.deepEqual(await supervisor.client.call('observe', { ids }), [])
    }
  })

  test('a writer outlives its reader: it waits when the pipe is full, and loses nothing', async () => {
    const id = newId()
    await start(id, 'while [ ! -e go ]; do sleep 0.01; done; seq 1 20000; echo end; sleep 600')
    await supervisor.restart(async () => {
      writeFileSync(join(supervisor.home, 'run/instances', id, 'app/go'), '')
      // The pipe holds 64 KiB of the 108,894 bytes; seq stays, waiting.
      await eventually('the writer waits', () => processesWith('seq\x001').length === 1)
    })
    await printed(id, /^end$/)
    assert.deepEqual(texts(id), [...Array.from({ length: 20_000 }, (_, i) => String(i + 1)), 'end'])
    await stop(id)
  })

  test('an unfinished line is passed on after a silence, and the control plane writes lines too', async () => {
    const id = newId()
    await start(id, "printf 'no newline'; sleep 600")
    await printed(id, /^no newline$/)
    const stream = `app/app-test/${id}`
    await supervisor.client.call('append', {
      stream,
      source: 'gantry',
      lines: ['one', 'two\nthree'],
      maxStreamBytes: 1e6,
    })
    assert.deepEqual(supervisor.lines(stream).slice(1), [
      { source: 'gantry', text: 'one' },
      { source: 'gantry', text: 'two' },
      { source: 'gantry', text: 'three' },
    ])
    await assert.rejects(
      supervisor.client.call('append', { stream: '../x', source: 'gantry', lines: [], maxStreamBytes: 1 }),
    )
    await stop(id)
    await supervisor.client.call('removeStream', { stream })
    assert.deepEqual(supervisor.lines(stream), [])
  })

  test('strangers are never touched', async () => {
    const id = newId()
    const { spawn } = await import('node:child_process')
    const stranger = spawn('sleep', ['633'], { stdio: 'ignore' })
    try {
      await start(id, 'sleep 600')
      await stop(id)
      await supervisor.restart()
      assert.equal(stranger.exitCode, null)
      assert.equal(stranger.signalCode, null)
    } finally {
      stranger.kill('SIGKILL')
    }
  })

  test('forget is refused while it runs', async () => {
    const id = newId()
    await start(id, 'sleep 600')
    await assert.rejects(forget(id), (error) => error instanceof Refusal && error.refusal === 'NotEnded')
    await stop(id)
    await forget(id)
    assert.deepEqual(
      ['instances', 'fifos'].flatMap((folder) =>
        readdirSync(join(supervisor.home, 'state', folder)).filter((name) => name.startsWith(`${id}.`) || name === id),
      ),
      [],
    )
  })

  test('what is not the protocol is answered or cut off', async () => {
    const path = join(supervisor.home, 'run/supervisor.sock')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const ask = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = createConnection(path, () => socket.write(text))
        socket.once('data', (data) => {
          resolve(data.toString())
          socket.destroy()
        })
        socket.once('error', () => resolve(''))
        socket.once('close', () => resolve(''))
      })
    assert.match(await ask('hello\n'), /BadRequest/)
    assert.match(await ask('{"id":1,"verb":"constructor","args":{}}\n'), /BadRequest/)
    assert.match(await ask('{"id":1,"verb":"start","args":{}}\n'), /BadRequest/)
    assert.match(await ask('{"id":1,"verb":"observe","args":{}}\n'), /"ok":\[/)
    assert.equal(await ask('x'.repeat(9 * 1024 * 1024)), '')
  })
})

test('a supervisor that is told to end stops everything it runs, at once', async () => {
  const supervisor = await startTestSupervisor()
  supervisor.artifact('empty', {})
  const ids = ['ins-end1', 'ins-end2', 'ins-end3'].map((id) => `${id}-${process.pid}`)
  const line = "trap '' TERM; while :; do sleep 1; done"
  for (const id of ids) {
    await supervisor.client.call('start', { spec: specOf(supervisor, { id, command: { kind: 'shell', line } }), fence })
  }
  await eventually('they run', () => ids.every((id) => processesWith(`GANTRY_INSTANCE_ID=${id}`).length > 0))
  await supervisor.close()
  assert.deepEqual(
    ids.flatMap((id) => processesWith(`GANTRY_INSTANCE_ID=${id}`)),
    [],
  )
})

test('a flood costs lines, which are counted, and nothing else', async () => {
  const supervisor = await startTestSupervisor(50_000)
  supervisor.artifact('empty', {})
  try {
    const id = `ins-flood-${process.pid}`
    const spec = specOf(supervisor, { id, command: { kind: 'shell', line: 'seq 1 300000' } })
    await supervisor.client.call('start', { spec, fence })
    await untilEnded(supervisor, id)
    await eventually('the count is written', () => {
      const lines = supervisor.lines(`app/app-test/${id}`)
      const dropped = lines
        .map(({ text }) => Number(/^dropped (\d+) lines/.exec(text)?.[1] ?? 0))
        .reduce((a, b) => a + b, 0)
      const kept = lines.filter(({ source }) => source === 'web.1').length
      return dropped > 0 && dropped + kept === 300_000
    })
  } finally {
    await supervisor.close()
  }
})
