//! The contract: what the comments of [`Storage`] promise, as cases that every backend runs.
//!
//! ```text
//! contract_suite!(sqlite, fresh_sqlite_file()); // the expression gives a future of a `Fresh`, anew for each case
//! contract_suite!(postgres, fresh_schema());
//! ```
//!
//! A case's name is the sentence that it proves. Cases share nothing: each has an empty store of its own, and wherever
//! one waits, it waits for the store and not for a time to pass.
#![expect(missing_docs, reason = "a case's name says what it proves; all else is documented")]

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Storage, StorageError};

pub mod api_keys;
pub mod audit;
pub mod client_token_facts;
pub mod client_token_pages;
pub mod client_token_restrictions;
pub mod client_token_search;
pub mod client_token_usage;
pub mod client_tokens;
pub mod concurrency;
pub mod delivery;
pub mod delivery_at_once;
pub mod delivery_counts;
pub mod events;
pub mod idempotency;
pub mod identities;
pub mod invitations;
pub mod leases;
#[cfg(test)]
mod model;
pub mod notification_pages;
pub mod notification_settings;
pub mod notifications;
mod outbox;
pub mod passkeys;
pub mod people;
pub mod pruning;
pub mod seed;
pub mod sequence;
pub mod sessions;
pub mod simulation_events;
pub mod simulation_runs;
pub mod simulations;
mod steps;
pub mod workspaces;

/// What a case returns: an error of the store fails it as a wrong answer does.
pub type Verdict = Result<(), StorageError>;

/// Opens a store; boxed, so that each backend brings its own way.
pub type Opener =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Arc<dyn Storage>, StorageError>> + Send>> + Send + Sync>;

/// An empty store, migrated to the latest schema.
pub struct Fresh {
    /// The handle that most cases use.
    pub store: Arc<dyn Storage>,
    /// Opens one more handle to the same database, which shares nothing with the first: as another process would.
    pub another: Opener,
    /// Whatever must outlive the handles, such as the temporary directory. Dropped last.
    pub guard: Box<dyn Any + Send>,
}

impl Fresh {
    /// One more handle to the same database.
    pub async fn another(&self) -> Result<Arc<dyn Storage>, StorageError> {
        (self.another)().await
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").finish_non_exhaustive()
    }
}

/// `contract_suite!(name, expression)`: a module `name` with one test per case. The expression is evaluated for each
/// case and gives a future of a [`Fresh`](contract::Fresh).
#[macro_export]
macro_rules! contract_suite {
    ($name:ident, $fresh:expr) => {
        mod $name {
            use super::*;
            $crate::contract_cases! { [$crate::contract_tests] [$fresh] }
        }
    };
}

/// The list of all cases, handed to a macro after what it is given; written once, so that no backend lacks one.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ([$($callback:tt)*] $($given:tt)*) => {
        $($callback)* ! { $($given)*
            workspaces {
                a_new_workspace_is_there_at_once_in_every_detail
                an_empty_store_has_no_workspaces
                workspaces_come_oldest_first
                a_workspace_that_has_another_name_by_now_is_not_renamed
                a_workspace_id_that_is_taken_is_refused_and_the_first_stays
            }
            client_tokens {
                a_new_token_is_there_at_once_in_every_detail
                a_token_of_another_workspace_is_not_found
                names_and_descriptions_survive_byte_for_byte
                an_update_is_there_at_once_in_every_detail
                revoking_twice_keeps_the_first_time
                a_stale_update_writes_nothing_events_included_and_is_told
                a_failed_change_writes_nothing_events_included
                a_failed_change_harms_none_of_its_neighbours
                two_handles_racing_to_revoke_make_one_revocation
                many_racing_to_revoke_make_one_revocation
                commits_that_nobody_waits_for_any_more_are_whole_or_nothing
                the_same_id_in_two_workspaces_is_two_tokens
            }
            client_token_pages {
                pages_run_both_ways_and_end_exactly_at_the_limit
                a_cursor_need_not_exist
                a_page_holds_only_the_statuses_asked_for
                an_empty_workspace_has_an_empty_page
                totals_follow_the_filter_and_not_the_cursor
                totals_follow_revocations_at_once
                walks_over_300_random_tokens_agree_with_a_model
            }
            client_token_search {
                tokens_are_found_by_a_part_of_their_name_in_any_case
                a_token_is_found_by_itself_whole
                a_search_and_statuses_together_let_through_what_both_do
                a_search_of_tokens_ends_where_it_may_look_no_further
            }
            client_token_restrictions {
                restrictions_and_schedules_are_there_at_once_in_every_detail
                of_two_handles_racing_to_restrict_one_wins
                tokens_are_to_be_revoked_from_their_time_on_earliest_first
                a_replacement_makes_the_new_token_and_changes_the_old_one
                a_stale_replacement_writes_nothing
                a_replacement_with_a_taken_id_writes_nothing
                of_two_handles_racing_to_replace_one_wins
            }
            client_token_facts {
                facts_of_all_workspaces_come_with_their_place
                facts_and_their_place_are_of_one_moment
                changes_tell_each_token_once_as_it_is_now
                changes_come_in_spans_of_at_most_the_limit
                changes_that_are_no_longer_known_are_told_as_forgotten
                followers_of_changes_on_two_handles_end_where_the_facts_do
            }
            client_token_usage {
                usage_is_added_up_over_handles
                usage_recorded_at_once_on_two_handles_loses_nothing
                the_last_use_moves_forward_only
                the_most_frequent_origins_of_each_day_are_kept
                usage_of_an_unknown_token_is_passed_over
                usage_is_read_from_an_hour_on
                last_uses_of_many_tokens_come_at_once
                usages_of_many_tokens_come_at_once
                pruning_removes_old_usage_and_at_most_the_limit
                usage_emits_nothing_and_leaves_the_token
            }
            api_keys {
                a_new_key_is_there_at_once_in_every_detail
                every_set_of_permissions_comes_back
                an_update_is_there_at_once_and_leaves_the_last_use
                a_stale_update_of_a_key_writes_nothing_and_is_told
                two_handles_racing_to_change_a_key_make_one_change
                a_use_moves_the_last_use_forward_and_nothing_else
                uses_at_once_leave_the_latest
                keys_are_due_when_expired_or_to_be_announced_soonest_first
                pages_of_keys_hold_every_status_of_one_workspace
                pages_of_keys_with_one_status_hold_only_these
            }
            events {
                an_event_is_found_by_its_id_in_its_workspace_only
                an_event_comes_back_byte_for_byte
                events_of_one_change_keep_their_order
                a_page_holds_only_the_types_asked_for
                a_page_shows_no_event_for_the_audit_trail_unless_asked
                a_cursor_of_events_need_not_exist
                events_between_two_places_are_those_after_the_first_up_to_the_second
                totals_are_exact_up_to_the_cap_and_no_further
                walks_over_random_events_agree_with_a_model
            }
            audit {
                the_trail_has_events_of_all_types_newest_first
                each_filter_of_the_trail_lets_through_what_it_says
                filters_of_the_trail_together_let_through_what_each_does
                a_search_of_the_trail_ends_where_it_may_look_no_further
                the_trail_is_cut_by_the_time_in_its_ids
                names_are_looked_up_for_many_at_once
            }
            sequence {
                an_empty_store_is_at_place_0
                a_change_is_applied_at_the_place_of_its_last_event
                another_handle_sees_what_was_acknowledged_and_goes_on_from_there
                the_pulse_rings_at_once_for_a_commit_of_this_handle
                the_pulse_rings_soon_for_a_commit_of_another_handle
                the_pulse_rings_soon_for_a_replay_by_any_handle
                the_pulse_beats_without_any_commit
                followers_miss_nothing_of_64_committers
                followers_miss_nothing_of_64_committers_on_two_handles
            }
            idempotency {
                an_answer_is_kept_with_its_change
                the_second_request_gets_the_first_answer_and_writes_nothing
                a_name_belongs_to_its_api_key_and_is_compared_exactly
                an_answer_is_forgotten_from_the_moment_it_expires
                a_request_after_the_expiry_is_a_new_one
                a_change_that_was_not_applied_keeps_no_answer
                of_two_requests_at_once_one_is_done
                of_sixteen_requests_at_once_one_is_done
                forgetting_removes_expired_answers_only_and_at_most_the_limit
                an_answer_may_come_with_any_kind_of_write
            }
            concurrency {
                conflicting_changes_end_as_if_done_one_by_one
                conflicting_changes_on_two_handles_end_as_if_done_one_by_one
            }
            notification_settings {
                a_new_setting_is_there_at_once_in_every_detail
                a_setting_of_another_workspace_is_not_found
                a_setting_id_that_is_taken_is_refused_and_the_first_stays
                an_update_is_there_at_once_and_leaves_what_never_changes
                a_change_that_saw_other_settings_writes_nothing_events_included
                a_setting_in_place_of_another_is_noticed
                of_two_handles_racing_to_create_one_wins
                of_two_handles_racing_to_update_one_wins
                pages_hold_the_settings_asked_for
                a_deleted_setting_is_gone_from_every_read_with_its_notifications
                of_many_racing_to_delete_one_does
            }
            notifications {
                an_event_makes_one_notification_for_each_setting_that_wants_it
                only_a_setting_that_wants_an_event_gets_it
                events_for_the_audit_trail_make_no_notification
                each_event_of_a_change_makes_its_own_notifications
                a_change_that_is_not_applied_makes_no_notification
                a_notification_is_visible_together_with_its_event
                a_new_setting_gets_the_events_after_it_and_none_before
                a_setting_that_changes_gets_the_events_as_it_stood_when_they_happened
                a_deleted_setting_gets_no_event_after_it
                many_committers_make_one_notification_for_each_event_and_setting
            }
            leases {
                what_is_due_comes_earliest_first_and_at_most_the_limit
                a_lease_keeps_others_away_until_it_ends
                a_recorded_attempt_ends_the_lease
                an_inactive_settings_notifications_wait_until_it_is_active_again
                settings_with_something_due_are_named
                two_handles_share_a_queue_without_overlap
            }
            delivery {
                an_attempt_is_there_at_once_in_every_detail
                an_attempt_with_both_secrets_counts_once_and_logs_twice
                a_delivered_notification_stays_delivered
                an_attempt_of_a_notification_that_is_gone_is_passed_over
                a_setting_fails_from_its_first_failure_to_the_next_success
                a_setting_that_becomes_active_again_has_not_failed_yet
                totals_follow_every_attempt
                a_replay_is_a_notification_of_its_own
                what_is_gone_is_not_replayed
                pages_of_attempts_run_both_ways
            }
            notification_pages {
                pages_of_notifications_run_both_ways_and_end_exactly_at_the_limit
                a_cursor_of_notifications_need_not_exist
                each_filter_lets_through_what_it_says
                filters_together_let_through_what_each_does
                a_page_follows_what_happens_to_its_notifications
            }
            pruning {
                pruning_removes_what_is_older_and_keeps_the_young
                pruning_removes_at_most_the_limit_and_no_event_before_its_notifications
                an_old_event_stays_for_a_young_replay
                a_deleted_settings_notifications_are_removed_in_batches_whatever_their_age
                what_is_pruned_while_it_is_delivered_is_passed_over
            }
            delivery_at_once {
                four_deliverers_lose_nothing_of_64_committers
                four_deliverers_on_two_handles_lose_nothing_of_64_committers
                attempts_of_one_notification_at_once_all_count_and_a_success_stays
                settings_may_go_and_be_pruned_while_they_are_delivered_to
            }
            delivery_counts {
                attempts_are_counted_by_hour_setting_and_outcome
                attempts_recorded_at_once_on_two_handles_are_all_counted
                old_hours_are_removed_with_what_is_old
            }
            simulations {
                a_new_simulation_is_there_at_once_in_every_detail
                a_simulation_of_another_workspace_is_not_found
                a_simulation_id_that_is_taken_is_refused_and_the_first_stays
                an_update_of_a_simulation_is_there_at_once_and_leaves_what_never_changes
                a_stale_update_of_a_simulation_writes_nothing_and_is_told
                of_two_handles_racing_to_update_a_simulation_one_wins
                pages_hold_the_simulations_asked_for
            }
            simulation_runs {
                a_run_is_there_at_once_with_its_event_in_every_detail
                a_second_run_waits_for_the_first
                of_two_handles_racing_to_run_one_does
                what_there_is_no_simulation_for_is_not_run
                the_newest_run_of_each_simulation_comes_in_the_order_asked_for
                runs_and_events_of_another_workspace_are_not_found
                pages_of_runs_and_of_events_hold_those_asked_for
                pruning_removes_old_runs_with_their_events_and_keeps_the_young
            }
            simulation_events {
                an_event_is_claimed_once
                events_are_due_until_they_are_claimed_and_again_long_after
                a_recorded_event_ends_its_run
                an_event_is_recorded_once
                a_replay_is_an_event_of_its_own_and_leaves_the_run
                a_run_goes_on_until_none_of_its_events_is_pending
                the_newest_events_of_each_run_come_newest_first
            }
            people {
                a_person_who_joins_is_there_at_once_in_every_detail
                an_email_address_is_found_in_any_case_and_taken_once
                a_link_is_used_once
                of_many_racing_to_use_a_link_one_does
                a_link_is_good_until_it_expires
                a_new_link_takes_the_place_of_the_one_before
                a_link_whose_use_cannot_be_stays
                members_and_memberships_are_those_of_one_workspace_and_one_person
                a_role_changes_from_what_it_was_only
                the_last_owner_stays_an_owner
                of_two_owners_racing_to_leave_one_stays
            }
            invitations {
                invitations_are_listed_by_workspace_and_found_by_address
                an_invitation_that_was_used_or_replaced_is_not_listed
                an_invitation_is_taken_back_once
            }
            sessions {
                a_session_is_there_at_once_in_every_detail
                whoever_joins_signed_in_has_a_session_or_nothing
                a_session_of_a_person_who_changed_does_not_begin
                a_sight_moves_a_session_forward_only_and_never_back_to_life
                a_persons_sessions_come_newest_first_and_nobody_elses
                a_session_ends_once
                ending_all_sessions_leaves_those_of_others
                a_new_password_ends_the_other_sessions_and_takes_links_back
                a_password_is_not_changed_on_top_of_another_change
                failures_are_counted_on_top_of_what_was_seen_only
                a_right_password_forgets_the_failures_of_the_email_and_one_of_the_network
                pruning_people_removes_what_is_over_and_at_most_the_limit
            }
            passkeys {
                a_passkey_is_there_at_once_in_every_detail
                a_ceremony_is_used_once_by_its_person_and_in_time
                of_many_racing_to_answer_a_ceremony_one_does
                a_credential_is_taken_once
                a_person_has_so_many_passkeys_and_no_more
                a_passkey_is_renamed_and_removed_by_its_person_only
                a_passkey_signs_in_once_for_each_ceremony
                a_passkey_that_was_used_or_removed_meanwhile_signs_nobody_in
                a_reset_removes_passkeys_and_a_change_of_ones_own_does_not
                pruning_removes_ceremonies_that_are_over
            }
            identities {
                an_identity_is_linked_by_the_first_session_and_there_at_once
                an_identity_signs_in_one_person_only
                an_identity_of_nobody_is_not_linked
                invitations_are_found_by_their_address_in_any_case
            }
        }
    };
}

/// Turns the list of cases into tests.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ([$fresh:expr] $($file:ident { $($case:ident)* })*) => {
        $crate::contract_tests! { @files $fresh; $($file { $($case)* })* }
    };
    (@files $fresh:expr; ) => {};
    (@files $fresh:expr; $file:ident { $($case:ident)* } $($rest:tt)*) => {
        mod $file {
            use super::*;
            $crate::contract_tests! { @cases $fresh; $file; $($case)* }
        }
        $crate::contract_tests! { @files $fresh; $($rest)* }
    };
    (@cases $fresh:expr; $file:ident; ) => {};
    (@cases $fresh:expr; $file:ident; $case:ident $($rest:ident)*) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() -> $crate::contract::Verdict {
            let fresh = $fresh.await;
            $crate::contract::$file::$case(&fresh).await
        }
        $crate::contract_tests! { @cases $fresh; $file; $($rest)* }
    };
}
