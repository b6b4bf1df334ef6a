import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { OnCallNow as Data, RoleNow } from '../../../oncall-contract.ts'
import type { Inside } from '../../inside.ts'
import { text } from '../../oncall-text.ts'
import { Head } from '../../parts/head.tsx'
import { Reading } from '../../parts/state.tsx'
import { Table } from '../../parts/table.tsx'
import { useLive } from '../../use-live.ts'
import { AsOf, isGap, nameOf, People, Why } from './parts.tsx'
import { clockIn } from './times.ts'

const words = text.now
/** Fewer roles are seen at a glance. */
const findFrom = 6

const fits = (role: RoleNow, names: Data['names'], letters: string): boolean =>
  [role.key, role.name, role.unit, ...role.on.flatMap(d => [d.person, nameOf(names, d.person)])].some(word =>
    word.toLowerCase().includes(letters),
  )

/** Who is on now for every role, until when, who is next, and the fallback. */
export const OnCallNow = ({ inside }: { inside: Inside }): JSX.Element => {
  const view = useLive(inside, again => inside.api.onCall(again), 60_000)
  const [find, setFind] = useState('')
  const { data } = view
  const letters = find.trim().toLowerCase()
  const roles = data?.roles.filter(r => letters === '' || fits(r, data.names, letters)) ?? []
  const gaps = data?.roles.filter(r => isGap(r.on)).length ?? 0
  return (
    <>
      <Head view="on-call" busy={view.busy} onRefresh={view.reload}>
        {data && data.roles.length >= findFrom ? (
          <div class="field find">
            <label for="find">{words.find}</label>
            <input
              id="find"
              type="text"
              autocomplete="off"
              maxLength={80}
              value={find}
              onInput={event => setFind(event.currentTarget.value)}
            />
          </div>
        ) : null}
      </Head>
      <Reading view={view} />
      {data ? (
        <>
          {data.roles.length > 0 ? (
            <p role="status" class={gaps > 0 ? 'warn-text' : 'hint'}>
              {gaps > 0 ? words.gaps(gaps) : words.covered}
            </p>
          ) : null}
          <AsOf time={inside.times.time(data.now)} old={view.old} />
          {data.roles.length === 0 ? <p class="panel empty">{words.none}</p> : null}
          {data.roles.length > 0 && roles.length === 0 ? <p class="panel empty">{words.findNone}</p> : null}
          {roles.length > 0 ? <Roles roles={roles} data={data} inside={inside} /> : null}
        </>
      ) : null}
    </>
  )
}

const Roles = ({ roles, data, inside }: { roles: readonly RoleNow[]; data: Data; inside: Inside }): JSX.Element => {
  const { names } = data
  const when = (r: RoleNow, at: number) => {
    const clock = clockIn(r.zone)
    return r.zone === inside.session.timeZone ? clock.both(at) : `${clock.both(at)} (${r.zone.replaceAll('_', ' ')})`
  }
  return (
    <section class="panel">
      <Table
        caption={words.caption}
        first={60}
        rows={roles}
        columns={[
          {
            title: words.role,
            cell: r => (
              <span class="role-name">
                <strong>{r.name}</strong>
                <button
                  type="button"
                  class="only"
                  aria-label={words.scheduleOf(r.name)}
                  onClick={() => {
                    inside.role.current = r.key
                    location.hash = 'schedule'
                  }}
                >
                  {words.schedule}
                </button>
              </span>
            ),
          },
          {
            title: words.on,
            cell: r => (
              <>
                <People duty={r.on} names={names} /> <Why duty={r.on} />
              </>
            ),
          },
          { title: words.until, cell: r => (r.next ? when(r, r.next.at) : words.nothing) },
          {
            title: words.next,
            cell: r =>
              r.next ? (
                <>
                  {r.next.on.map(d => nameOf(names, d.person)).join(', ')} <Why duty={r.next.on} />
                </>
              ) : (
                '–'
              ),
          },
          { title: text.fallback, cell: r => nameOf(names, r.fallback) },
        ]}
      />
    </section>
  )
}
