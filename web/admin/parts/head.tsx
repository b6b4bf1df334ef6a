import type { ComponentChildren, JSX } from 'preact'
import type { ViewName } from '../../admin-contract.ts'
import { text } from '../text.ts'
import { Refresh } from './state.tsx'

type Props = { view: ViewName; busy: boolean; onRefresh: () => void; children?: ComponentChildren }

/** A screen's title with the way to read it anew, and what it can be told below. */
export const Head = ({ view, busy, onRefresh, children }: Props): JSX.Element => (
  <>
    <div class="head">
      <div>
        <h1 tabIndex={-1}>{text.views[view]}</h1>
        <p class="hint">{text.about[view]}</p>
      </div>
      <Refresh busy={busy} onClick={onRefresh} />
    </div>
    {children ? <div class="tools">{children}</div> : null}
  </>
)
