import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SayJob } from '../../../bots/framework/say.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { eventually } from '../../support/eventually.ts'
import { type Siem, siem } from '../../support/receivers/siem.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'
import { type SinkWorld, sinkWorld } from '../../support/worlds/sink-world.ts'

const token = 'dG9rZW4-of-the-siem'

describe('!audit sink', function () {
  this.timeout(120_000)
  let c: CommandWorld
  let w: SinkWorld
  let compliance: UserId
  let admin: UserId
  let receiver: Siem
  let n = 0
  beforeEach(async () => {
    c = await commandWorld()
    w = await sinkWorld(c.db)
    compliance = await c.person('cora', 'compliance')
    admin = await c.person('ada', 'admin')
    receiver = await siem('splunk', token)
    await w.start()
  })
  afterEach(async () => {
    await receiver.stop()
    await w.stop()
  })

  /** The command's own answer, and what the audit process says of it afterwards. */
  const asked = async (who: UserId, text: string) => {
    const eventId = `$sink${++n}`
    const said = await c.ask(who, text, { eventId })
    if (said.mark !== '✅') return { ...said, later: '' }
    const job = await eventually(() =>
      c.db.store
        .db('outbox')
        .where({ key: `sink:${eventId}` })
        .first(),
    )
    const say = JSON.parse(await c.db.store.seal.open('outbox.payload', job.payload)) as SayJob
    expect(say.thread).to.equal(eventId)
    return { ...said, later: say.text }
  }
  const add = (text: string, who = compliance) => asked(who, `!audit sink add ${text}`)
  const splunk = () => `siem splunk ${receiver.url} token ${token} http yes`

  it('add: tries the receiver out, begins with the whole log, removes the message and never repeats the secret', async () => {
    await w.write(3)
    const said = await add(splunk())
    expect(said.redacted).to.equal(true)
    expect(said.later).to.include('✅').and.include('took a test entry (HTTP 200, code 0)')
    await w.write(0)
    await w.sent()
    expect(receiver.taken()).to.deep.equal(Array.from({ length: (await w.health()).cursor }, (_, i) => i))
    const list = await c.ask(compliance, '!audit sink list')
    expect(list.body).to.include('siem').and.include('ok').and.include('nothing')
    expect(`${said.body} ${said.later} ${list.body} ${await c.db.dump()}`).not.to.include(token)
    const added = await c.db.store.db('audit_entry').where({ action: 'sink.add' })
    expect(added.map(a => [a.actor_ref, a.object_ref, a.outcome])).to.deep.equal([[compliance, 'siem', 'done']])
  })

  it('add: says in a clear sentence why a receiver did not take the test entry, and adds nothing', async () => {
    const wrong = await add(`siem splunk ${receiver.url} token wrong http yes`)
    expect(wrong.later).to.include('⛔ Not added').and.include('does not accept the token')
    await receiver.stop()
    expect((await add(splunk())).later).to.include('nobody listens at that address')
    expect(await c.db.store.db('audit_sink')).to.deep.equal([])
    await w.write(0)
    const refused = await c.db.store.db('audit_entry').where({ action: 'sink.add' }).orderBy('idx')
    expect(refused.map(r => r.outcome)).to.deep.equal(['refused', 'refused'])
  })

  it('add: refuses what could reach where it must not, without repeating a word of it', async () => {
    const secret = 'hunter2secret'
    const bad: [string, string][] = [
      [`x splunk http://10.0.0.5:8088 token ${secret} http yes`, 'https://'],
      [`x splunk http://127.0.0.1:9 token ${secret}`, 'https://'],
      [`x splunk https://user:${secret}@splunk.example token t`, 'no user, password'],
      [`x splunk https://splunk.example/?token=${secret} token t`, 'no user, password'],
      [`x splunk https://169.254.169.254 token ${secret}`, 'Nothing is sent'],
      [`x splunk "https://[::ffff:169.254.169.254]" token ${secret}`, 'Nothing is sent'],
      [`x splunk file:///etc/passwd token ${secret}`, 'https://'],
      [`x jsonl ../../${secret}`, 'plain name'],
      [`x jsonl /etc/${secret}`, 'plain name'],
      [`x syslog siem.example:99999 ca ${secret}`, 'host and port'],
      [`x syslog siem.example ca ../${secret}.pem`, 'ca must be'],
      [`x splunk https://splunk.example tokn ${secret}`, 'did you mean token?'],
      [`x splunk https://splunk.example`, 'token is missing'],
      [`x http https://a.example token "${secret} two"`, 'token must be'],
      [`x http https://a.example path ../${secret}`, 'path must be'],
      [`x splnk https://splunk.example token ${secret}`, 'splunk, elastic'],
      [`X_1 splunk https://splunk.example token ${secret}`, 'small letters'],
      [`x splunk https://splunk.example token ${secret} extra`, 'pairs'],
      [`x splunk https://splunk.example token ${secret} token ${secret}`, 'twice'],
    ]
    for (const [text, reason] of bad) {
      const said = await add(text)
      const sentence = said.mark === '⛔' ? said.body : said.later
      expect(sentence, text).to.include(reason)
      expect(sentence, text).not.to.include(secret)
      expect(said.redacted, text).to.equal(true)
    }
    expect(await c.db.store.db('audit_sink')).to.deep.equal([])
    expect(await c.db.dump()).not.to.include(secret)
  })

  it('only compliance lets a sink identify; nobody else uses sinks at all', async () => {
    expect((await add(`${splunk()} identify yes`, admin)).body).to.include('Only compliance')
    expect((await add(`${splunk()} identify yes`)).later).to.include('✅')
    expect((await w.health()).identify).to.equal(true)
    expect((await c.ask(admin, '!audit sink identify siem off')).mark).to.equal('⛔')
    expect((await c.ask(compliance, '!audit sink identify siem off')).body).to.include('commitments only')
    const desk = await c.person('dana', 'desk', 'clinician', 'supervisor')
    for (const text of ['list', 'types', 'test siem', 'pause siem', 'remove siem', 'dead siem'])
      expect((await c.ask(desk, `!audit sink ${text}`)).mark, text).to.equal('⛔')
  })

  it('files lie in the sinks’ folder, and two sinks never write the same one', async () => {
    expect((await add('archive jsonl audit.jsonl')).later).to.include('✅')
    expect((await add('second jsonl audit')).later).to.include('archive writes there already')
    const [file] = await readdir(w.folder)
    expect(file).to.match(/^audit-\d{4}-\d\d-\d\d\.jsonl$/)
    const [test] = (await readFile(join(w.folder, file ?? ''), 'utf8')).split('\n')
    expect(JSON.parse(test ?? '')).to.deep.include({ idx: -1, action: 'sink.test' })
  })

  it('test: sends one entry now and says what came of it', async () => {
    await add(splunk())
    expect((await asked(admin, '!audit sink test siem')).later).to.equal('✅ siem took a test entry: HTTP 200, code 0.')
    receiver.behave(() => ({ answer: { status: 503 } }))
    expect((await asked(admin, '!audit sink test siem')).later).to.include('too busy (http-503)')
    expect((await asked(admin, '!audit sink test nobody')).later).to.include('There is no sink nobody')
  })

  it('types: shows each type with its options', async () => {
    const { later } = await asked(admin, '!audit sink types')
    for (const type of ['jsonl', 'csv', 'syslog', 'splunk', 'elastic', 'http', 'fhir'])
      expect(later)
        .to.include(`!audit sink add`)
        .and.match(new RegExp(`^${type}: `, 'm'))
  })

  it('pause, resume, replay, dead and remove do so, audited', async () => {
    await add(splunk())
    await w.write(1)
    await w.sent()
    expect((await c.ask(admin, '!audit sink pause siem')).mark).to.equal('✅')
    await w.write(2)
    expect((await w.health()).state).to.equal('paused')
    expect((await c.ask(admin, '!audit sink list')).body).to.include('paused')
    expect((await c.ask(admin, '!audit sink resume siem')).mark).to.equal('✅')
    await w.write(0)
    await w.sent()
    const before = receiver.taken().length
    expect((await c.ask(admin, '!audit sink replay siem from 2020-01-01')).body).to.include('from entry 0 on')
    await eventually(() => receiver.taken().length >= 2 * before)
    await w.sent()
    expect((await c.ask(admin, '!audit sink dead siem')).body).to.include('Nothing was set aside')
    receiver.refuse(() => 400)
    await w.write(1)
    await eventually(async () => (await w.health()).dead > 0)
    const dead = await c.ask(admin, '!audit sink dead siem')
    expect(dead.body).to.include('splunk-6').and.include('!audit sink dead siem again')
    receiver.refuse(() => undefined)
    expect((await c.ask(admin, '!audit sink dead siem again')).body).to.match(/sent again/)
    await eventually(async () => (await w.health()).dead === 0)
    expect((await c.ask(admin, '!audit sink remove siem')).mark).to.equal('✅')
    expect((await c.ask(admin, '!audit sink list')).body).to.include('exported nowhere')
    for (const text of ['pause', 'resume', 'remove', 'dead', 'replay'])
      expect(
        (await c.ask(admin, `!audit sink ${text} siem${text === 'replay' ? ' from 7d' : ''}`)).body,
        text,
      ).to.include('no sink siem')
    await w.write(0)
    const actions = await c.db.store.db('audit_entry').where({ object_kind: 'sink' }).orderBy('idx').pluck('action')
    expect([...new Set(actions)]).to.deep.equal([
      'sink.add',
      'sink.pause',
      'sink.resume',
      'sink.replay',
      'sink.dead_letter',
      'sink.remove',
    ])
  })
})
