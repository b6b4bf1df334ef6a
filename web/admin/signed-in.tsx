import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Session, ViewName } from '../admin-contract.ts'
import { Boundary } from '../shared/boundary.tsx'
import type { Api } from './api.ts'
import { timesIn } from './format.ts'
import type { Gone, Inside } from './inside.ts'
import { Frame, viewHere } from './parts/frame.tsx'
import { IdleWarning } from './parts/idle-warning.tsx'
import { Alerts } from './screens/alerts.tsx'
import { Checkpoint } from './screens/checkpoint.tsx'
import { OnCallNow } from './screens/oncall/on-call.tsx'
import { OpenPages } from './screens/oncall/pages.tsx'
import { Responses } from './screens/oncall/responses.tsx'
import { Schedule } from './screens/oncall/schedule.tsx'
import { Reports } from './screens/reports.tsx'
import { Sinks } from './screens/sinks.tsx'
import { Timeline } from './screens/timeline.tsx'
import { text } from './text.ts'
import { useSession } from './use-session.ts'

type Props = { api: Api; session: Session; gone: (why: Gone) => void }

const screens: Record<ViewName, (props: { inside: Inside }) => JSX.Element> = {
  timeline: Timeline,
  reports: Reports,
  alerts: Alerts,
  sinks: Sinks,
  checkpoint: Checkpoint,
  'on-call': OnCallNow,
  schedule: Schedule,
  pages: OpenPages,
  responses: Responses,
}

const Broken = (): JSX.Element => (
  <p class="alert" role="alert">
    {text.problem.drawing}
  </p>
)

/** Behind the door: the frame, one screen at a time, and the watch over the session. */
export const SignedIn = ({ api, session, gone }: Props): JSX.Element => {
  const [view, setView] = useState<ViewName>(() => viewHere(session.views))
  const watch = useSession(api, session, gone)
  const role = useRef<string | undefined>(undefined)
  const inside = useMemo<Inside>(
    () => ({ api, session, gone, role, times: timesIn(session.timeZone) }),
    [api, session, gone],
  )
  useEffect(() => {
    const follow = () => setView(viewHere(session.views))
    window.addEventListener('hashchange', follow)
    // The address may have changed between the first drawing and this.
    follow()
    return () => window.removeEventListener('hashchange', follow)
  }, [])
  const signOut = () => {
    api.end().then(
      () => gone('ended'),
      () => gone('ended'), // the idle time ends it on the server
    )
  }
  const Screen = screens[view]
  return (
    <>
      <Frame inside={inside} view={view} endsAt={watch.deadlines.reauthAt} now={watch.now} onSignOut={signOut}>
        <Boundary place={view} broken={() => undefined} instead={<Broken />}>
          <Screen key={view} inside={inside} />
        </Boundary>
      </Frame>
      {watch.phase === 'warn' ? (
        <IdleWarning idleAt={watch.deadlines.idleAt} now={watch.now} onStay={watch.stay} onLeave={signOut} />
      ) : null}
    </>
  )
}
