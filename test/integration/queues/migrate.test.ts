import { expect } from 'chai'
import { type Db, openDb } from '../../../core/store/db.ts'
import { migrate } from '../../../core/store/migrate.ts'
import { migrations } from '../../../core/store/migrations/index.ts'
import { database as postgres } from '../../support/stack.ts'

describe('migrations', () => {
  let db: Db
  let url: string
  beforeEach(async () => {
    url = await (await postgres()).freshDatabase()
    db = openDb(url)
  })
  afterEach(() => db.destroy())
  const names = () => db('migration').orderBy('name').pluck('name')

  it('build the schema from empty, in order, once', async () => {
    expect(await migrate(db)).to.deep.equal(migrations.map(m => m.name))
    expect(await migrate(db)).to.deep.equal([])
    expect([...migrations].map(m => m.name)).to.deep.equal([...migrations].map(m => m.name).sort())
  })

  it('run once when several processes start together', async () => {
    const others = [openDb(url), openDb(url), openDb(url)]
    const applied = await Promise.all([db, ...others].map(d => migrate(d)))
    expect(applied.flat().sort()).to.deep.equal(migrations.map(m => m.name).sort())
    for (const o of others) await o.destroy()
  })

  it('go on from any earlier version', async () => {
    for (let n = 1; n < migrations.length; n++) await migrate(db, migrations.slice(0, n))
    expect(await migrate(db)).to.deep.equal([migrations.at(-1)?.name])
  })

  it('leave nothing behind when one of them fails', async () => {
    const bad = { name: '9999-bad', up: 'create table half (id int); select 1/0' }
    let failed = ''
    await migrate(db, [...migrations, bad]).catch(e => {
      failed = e.code
    })
    expect(failed).to.equal('22012')
    expect(await db.schema.hasTable('half')).to.equal(false)
    expect(await migrate(db)).to.deep.equal(migrations.map(m => m.name))
  })

  it('refuse old code on a schema that a newer version broke with, and accept one that it only added to', async () => {
    await migrate(db)
    await migrate(db, [...migrations, { name: '9998-more', up: 'create table more (id int)' }])
    expect(await migrate(db)).to.deep.equal([])
    await migrate(db, [...migrations, { name: '9999-breaking', up: 'select 1', breaking: true }])
    let message = ''
    await migrate(db).catch(e => {
      message = e.message
    })
    expect(message).to.include('9999-breaking')
    expect(await names()).to.include('9999-breaking')
  })
})
