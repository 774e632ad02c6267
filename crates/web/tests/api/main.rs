//! The API over a real socket, on both stores: the modules mirror the tree of URLs; what holds for every URL stands
//! beside them.
//!
//! A case is an async function that takes the [`Store`](support::Store) to run on. The list below names each once and
//! makes a test of it per store; a case that it lacks is dead code, and so doesn't pass the lints.
#![recursion_limit = "512"]

mod support;

mod api_keys;
mod assets;
mod authentication;
mod bodies;
mod client_tokens;
mod connections;
mod dashboard;
mod event_types;
mod events;
mod failures;
mod health;
mod methods;
mod native;
mod notification_settings;
mod notifications;
mod openapi;
mod order_of_checks;
mod paths;
mod random;
mod rate_limit;
mod root;
mod simulation_types;
mod simulations;
mod sweep;
mod versions;

/// Makes a test of each case, on each store: `folder { file { case… } }` as the modules are.
macro_rules! api_suite {
    (on $store:ident at [$($path:ident)*]) => {};
    (on $store:ident at [$($path:ident)*] $module:ident { $($inner:tt)* } $($rest:tt)*) => {
        mod $module {
            api_suite! { on $store at [$($path)* $module] $($inner)* }
        }
        api_suite! { on $store at [$($path)*] $($rest)* }
    };
    (on $store:ident at [$($path:ident)*] $case:ident $($rest:tt)*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            crate$(::$path)*::$case(crate::support::Store::$store).await;
        }
        api_suite! { on $store at [$($path)*] $($rest)* }
    };
    ($($cases:tt)*) => {
        mod sqlite {
            api_suite! { on Sqlite at [] $($cases)* }
        }
        mod postgres {
            api_suite! { on Postgres at [] $($cases)* }
        }
    };
}

api_suite! {
    root {
        nobody_learns_what_the_api_is
        a_caller_learns_who_it_is
        a_live_key_is_told_production
        an_invalid_key_is_refused_at_the_root_too
    }
    client_tokens {
        create {
            a_new_token_is_shown_byte_for_byte_in_the_contracts_order
            a_description_that_is_null_or_left_out_is_null
            a_token_has_the_contracts_pattern_and_a_checksum
            sandbox_and_live_tokens_have_their_own_prefixes
            names_need_not_be_unique
            names_and_descriptions_come_back_untouched
            nothing_else_can_be_chosen
        }
        events {
            a_creation_is_told_with_the_bytes_of_its_answer
            what_is_refused_is_told_to_nobody
        }
        fields {
            a_name_has_1_to_150_code_points
            a_description_has_1_to_500_code_points_or_is_null
            a_value_of_another_type_is_named
            a_body_that_is_no_object_is_named
            a_name_is_required_also_when_there_is_no_body
            everything_that_is_wrong_is_told_in_one_answer
            a_list_of_problems_ends_at_50_and_long_names_are_cut
            control_characters_are_refused_by_name
            properties_that_occur_twice_are_refused
            the_description_of_a_body_agrees_with_the_server
        }
        get {
            a_token_is_shown_as_it_was_answered_at_creation
            a_revoked_token_can_still_be_had
            an_unknown_id_is_not_found
            a_malformed_id_is_a_bad_request
            an_id_may_be_percent_encoded
            another_workspaces_token_does_not_exist
        }
        idempotency {
            the_same_request_gets_the_same_token_and_makes_one
            the_answer_is_the_first_one_whatever_became_of_the_token
            another_request_under_the_same_key_is_a_conflict
            keys_are_compared_exactly
            each_api_key_has_idempotency_keys_of_its_own
            a_key_is_free_again_after_24_hours
            what_was_refused_does_not_use_up_the_key
            requests_at_once_make_one_token
            different_requests_at_once_under_one_key_make_one_token
            a_malformed_key_is_refused
        }
        list {
            active_tokens_are_listed_newest_first
            an_item_of_a_list_has_the_bytes_that_the_token_alone_has
            statuses_are_filtered_by_a_comma_list
            an_unknown_status_is_refused
            unknown_parameters_are_ignored
            a_page_holds_50_by_default_and_200_at_most
            a_page_length_that_is_no_positive_integer_is_refused
            a_list_runs_either_way_whatever_the_case
            another_order_is_refused
            a_cursor_must_be_an_id_of_a_client_token
            a_parameter_that_is_given_twice_is_refused
            every_parameter_that_is_wrong_is_told_in_one_answer
            the_total_follows_the_filter_and_each_change
            the_total_can_be_skipped
            a_list_holds_nothing_of_another_workspace
        }
        pages {
            walks_over_120_tokens_meet_each_once_in_order
            a_cursor_need_not_exist_nor_match_the_filter
            next_carries_the_query_and_is_there_on_the_last_page_too
            next_of_an_empty_page_is_the_page_itself
            next_begins_with_the_host_that_the_caller_used
            what_is_no_host_is_in_no_address
            next_begins_with_what_a_trusted_proxy_says
            a_proxy_that_is_not_trusted_is_not_believed
            a_public_url_wins_over_everything_also_with_a_path
        }
        update {
            revoking_is_shown_byte_for_byte_in_the_contracts_order
            a_status_that_is_there_already_changes_nothing
            a_revoked_token_is_never_active_again
            a_patch_of_nothing_names_the_status
            an_unknown_status_is_refused
            name_and_description_cannot_be_changed_here
            unknown_malformed_and_foreign_ids_are_told_apart_as_for_reading
            a_revocation_is_told_as_updated_then_revoked
            sixteen_revocations_at_once_are_one
            a_change_that_others_keep_preventing_is_a_conflict
        }
    }
    api_keys {
        changes {
            each_change_is_told_with_the_bytes_that_the_api_shows
        }
        expiry {
            a_key_is_refused_from_the_moment_it_expires_whether_told_or_not
            an_expiry_is_announced_once_seven_days_before
            an_expired_key_is_told_once_at_its_end
            an_end_that_passed_unannounced_is_only_told_as_expired
            a_key_that_lives_for_less_than_a_week_is_announced_at_once
            keys_that_never_expire_or_were_revoked_are_left_alone
            two_nodes_tell_of_an_expiry_once
        }
        get {
            a_key_is_shown_byte_for_byte_in_the_contracts_order_without_its_secret
            a_key_may_always_get_itself_and_no_other
            unknown_and_malformed_ids_are_told_apart
            another_workspaces_key_does_not_exist
            the_last_use_is_accurate_to_an_hour_and_is_no_change
        }
        list {
            keys_are_listed_oldest_first_with_every_status
            keys_are_paged_both_ways
            the_query_is_held_to_the_rules_of_lists
            a_list_holds_no_secret_and_nothing_of_another_workspace
        }
    }
    events {
        events_are_listed_newest_first
        where_a_key_is_used_from_is_kept_and_never_shown
        an_event_is_shown_byte_for_byte_in_the_contracts_order
        events_are_filtered_by_a_comma_list_of_types
        an_unknown_type_is_refused
        events_are_paged_both_ways
        the_query_is_held_to_the_rules_of_lists
        events_tell_nothing_of_who_did_it
        events_of_another_workspace_are_not_listed
    }
    event_types {
        every_type_of_the_contract_is_listed_once
        types_are_described_in_the_contracts_words_and_order
        parameters_of_lists_mean_nothing_here
    }
    simulation_types {
        single_events_of_client_tokens_and_api_keys_are_listed
    }
    simulations {
        create {
            a_new_simulation_is_shown_byte_for_byte_in_the_contracts_order
            every_single_event_can_be_simulated_and_nothing_else
            only_destinations_that_take_simulated_events_will_do
            each_field_is_held_to_its_limits
        }
        payload {
            a_payload_comes_back_as_it_was_given
            a_payload_holds_only_properties_of_its_entity
            without_a_payload_an_invented_entity_is_told_of
            what_is_given_stands_beside_invented_values_and_the_rest_follows_from_an_unknown_id
            the_id_of_a_real_entity_brings_its_values
            whoever_may_not_read_the_entity_learns_nothing_of_it
            a_run_tells_of_the_payload_as_it_was_when_it_was_run
        }
        get {
            what_was_made_is_shown_as_it_was_answered
            what_is_unknown_is_named
            a_run_is_found_under_its_own_simulation_only
            another_workspaces_simulations_do_not_exist
            a_malformed_id_is_a_bad_request_that_names_it
        }
        update {
            each_field_can_be_changed_and_the_rest_stays
            what_changes_nothing_is_no_change
            a_payload_must_fit_the_type_that_it_comes_to_have
            what_is_wrong_is_refused_and_changes_nothing
        }
        list {
            active_simulations_are_listed_newest_first
            simulations_are_filtered_by_setting_and_id
            simulations_runs_and_events_are_paged_both_ways
            runs_come_with_their_events_when_asked_for
        }
        runs {
            a_run_is_made_pending_with_its_event_byte_for_byte
            a_run_is_no_change_of_its_simulation
            a_body_means_nothing_here
            a_second_run_waits_for_the_first
            of_many_runs_at_once_one_is_made
            an_archived_simulation_is_not_run
            a_destination_that_takes_nothing_any_more_is_a_conflict
        }
        sending {
            a_simulated_event_is_delivered_as_a_real_one_with_ids_of_its_own
            neither_events_nor_notifications_know_of_it
            a_receiver_that_refuses_fails_the_event_once_and_for_all
            without_an_answer_there_is_no_response
            a_destination_that_changed_in_between_gets_nothing
            what_nobody_sent_in_time_is_aborted
            what_a_crash_cut_off_is_aborted_after_a_minute_and_not_sent_again
            while_a_secret_is_rotated_a_receiver_with_the_old_one_is_sent_to_twice
        }
        replay {
            a_replay_is_a_new_event_of_the_same_run
        }
    }
    notification_settings {
        audit {
            each_change_is_kept_with_who_did_it
            what_is_kept_holds_no_secret
            what_is_refused_is_not_kept
            the_contract_shows_nothing_of_it
        }
        create {
            a_new_setting_is_shown_byte_for_byte_in_the_contracts_order
            what_can_be_chosen_is_as_chosen
            null_is_as_good_as_leaving_out
            events_come_back_in_the_order_given_and_each_once
            every_event_type_of_the_contract_can_be_subscribed_to
            the_secret_has_the_contracts_form_and_none_is_like_another
            live_workspaces_have_settings_of_their_own
            a_change_that_others_keep_preventing_is_a_conflict
        }
        delete {
            a_deletion_is_answered_with_nothing_but_the_requests_id
            what_is_deleted_is_not_found_any_more
            a_body_of_a_deletion_is_not_looked_at
            unknown_malformed_and_foreign_ids_are_told_apart_as_for_reading
            its_notifications_and_their_logs_go_with_it
        }
        destinations {
            what_is_no_url_is_told_so
            clear_text_is_for_sandboxes
            credentials_in_a_url_are_refused
            what_is_not_public_is_refused_however_it_is_spelled
            an_opened_network_is_open_and_nothing_beside_it
            a_name_need_not_resolve_yet
            email_needs_a_mail_server
            email_goes_to_addresses
        }
        fields {
            a_description_has_1_to_500_code_points
            a_destination_has_1_to_2048_code_points
            numbers_flags_and_names_keep_to_their_kinds
            an_event_that_the_contract_lacks_is_named_by_its_place
            everything_that_is_missing_or_wrong_is_told_in_one_answer
            what_is_required_is_never_null
            what_the_server_chooses_cannot_be_chosen
            the_description_of_a_body_agrees_with_the_server
        }
        get {
            a_setting_is_shown_with_its_secret_as_it_was_answered_at_creation
            unknown_and_malformed_ids_are_told_apart
            another_workspaces_setting_does_not_exist
        }
        list {
            settings_are_listed_newest_first_200_to_a_page
            settings_are_filtered_by_activity_and_source
            a_filter_that_is_wrong_is_told
            settings_are_paged_both_ways
            the_total_can_be_skipped
        }
        room {
            an_eleventh_active_setting_is_refused
            inactive_settings_take_no_room
            activating_an_eleventh_is_refused
            settings_that_are_made_at_once_are_ten_at_most
            a_duplicate_is_refused_when_it_is_made
            a_change_into_a_duplicate_is_refused
        }
        update {
            each_field_changes_alone_and_the_whole_setting_is_answered
            everything_can_be_changed_at_once
            a_list_of_events_replaces_the_one_before
            the_type_never_changes
            what_changes_nothing_is_answered_and_told_to_nobody
            a_refused_part_refuses_the_whole
            unknown_malformed_and_foreign_ids_are_told_apart_as_for_reading
        }
    }
    notifications {
        filters {
            notifications_are_filtered_by_setting_and_status
            many_settings_can_be_asked_for_and_what_is_none_is_told_once
            a_search_looks_into_ids_and_types_letter_for_letter
            a_filter_is_the_id_of_the_entity
            times_are_of_the_event_and_both_ends_count
            what_is_no_time_is_told_so
            filters_hold_together
        }
        get {
            a_notification_is_shown_byte_for_byte_in_the_contracts_order
            each_status_is_shown_as_it_comes
            a_setting_is_told_of_what_it_subscribed_to_while_it_was_active
            unknown_and_malformed_ids_are_told_apart
            another_workspaces_notification_does_not_exist
        }
        list {
            notifications_are_listed_newest_first_50_to_a_page
            notifications_are_paged_both_ways_also_filtered
            totals_follow_each_change
            the_total_of_a_search_is_not_counted
            the_query_is_held_to_the_rules_of_lists
        }
        logs {
            an_attempt_is_shown_byte_for_byte_in_the_contracts_order
            an_attempt_without_an_answer_says_why_on_our_surface
            what_a_receiver_answered_comes_back_untouched
            attempts_are_listed_newest_first_and_paged
            what_was_not_attempted_has_no_logs
            an_attempt_with_both_secrets_has_two_rows_and_counts_once
        }
        replay {
            a_replay_is_a_notification_of_its_own
            what_failed_can_be_replayed_again_and_again
            what_is_on_its_way_cannot_be_replayed
            a_replay_cannot_be_replayed
            a_replay_needs_a_permission_to_write
            unknown_malformed_and_foreign_ids_are_told_apart
            a_body_is_not_looked_at
        }
    }
    native {
        authentication {
            a_missing_credential_is_challenged
            a_wrong_credential_is_challenged_as_invalid
            a_missing_permission_is_403_without_a_challenge
            the_compatible_surface_never_challenges
        }
        client_tokens {
            fields {
                everything_that_is_wrong_is_told_in_one_answer
                lists_have_their_limits_and_name_the_place
                origins_are_read_as_browsers_do_and_refused_with_a_hint
                networks_are_refused_with_a_hint
                rate_limits_have_both_numbers_within_their_limits
                what_is_no_object_is_named
                the_description_of_a_body_agrees_with_the_server
                the_compatible_surface_knows_nothing_of_it
            }
            places {
                a_change_is_answered_with_its_place
                what_changes_nothing_is_answered_with_the_present_place
                the_compatible_surface_tells_no_place
                whoever_watches_is_told_before_the_caller
            }
            restrictions {
                a_token_is_made_with_restrictions_and_shows_them
                restrictions_are_merged_field_by_field
                null_takes_one_away_and_null_for_the_whole_all_of_them
                report_only_is_replaced_as_a_whole
                what_is_not_restricted_cannot_only_be_reported
                what_is_taken_away_is_no_longer_reported
                a_change_is_told_as_updated_without_what_is_ours
                what_changes_nothing_is_told_to_nobody
                changes_at_once_all_count
                a_list_shows_restrictions_and_last_uses
                a_revoked_tokens_restrictions_can_still_be_changed
            }
            rotation {
                a_successor_has_the_same_name_description_and_restrictions
                the_old_token_goes_on_for_seven_days_or_as_long_as_asked
                an_earlier_schedule_stays
                both_are_told
                a_revoked_token_is_not_rotated
                what_is_wrong_is_refused_and_makes_nothing
                the_same_request_makes_one_successor
                rotations_at_once_each_make_a_successor
                another_workspaces_token_does_not_exist
            }
            schedule {
                a_token_is_revoked_at_its_time_and_not_before
                a_schedule_can_be_moved_and_withdrawn
                the_past_is_refused
                a_revoked_token_has_nothing_to_schedule
                now_and_later_together_are_refused
                revoking_now_ends_the_schedule
                the_compatible_surface_revokes_a_scheduled_token_as_any
                two_nodes_revoke_once
                many_that_end_together_are_revoked_together
                the_house_revokes_what_is_due
            }
            update {
                a_name_can_be_changed_and_is_told
                a_description_can_be_given_changed_and_taken_away
                everything_can_be_changed_at_once
                a_revoked_token_can_be_renamed_and_stays_revoked_since_then
                what_changes_nothing_is_told_to_nobody
                a_refused_part_refuses_the_whole
                fields_keep_to_their_limits_here_too
                a_change_of_nothing_is_refused
            }
            usage {
                a_token_that_nobody_used_says_so
                uses_of_all_nodes_are_shown_by_hour_and_in_total
                what_is_only_reported_is_counted_by_kind
                origins_are_shown_most_frequent_first
                what_is_older_than_seven_days_is_not_shown_and_removed
                the_last_use_is_shown_wherever_the_token_is
                another_workspaces_token_does_not_exist
            }
        }
        errors {
            every_error_has_a_page
            every_error_has_the_contracts_words
            an_unknown_code_has_none
            an_error_that_is_ours_leads_to_its_page
            pages_of_the_contracts_errors_are_where_the_setting_says
        }
        simulations {
            every_active_destination_that_takes_simulated_events_gets_it
            a_destination_that_is_named_gets_it_alone
            without_a_destination_it_is_told_what_to_do
        }
        events {
            without_a_place_the_present_one_is_told_and_no_events
            events_come_in_the_order_of_their_places_in_the_contracts_form
            a_page_ends_where_the_next_one_begins
            nothing_of_another_workspace_is_told
            what_is_for_the_audit_trail_alone_is_not_told
            an_event_ends_the_wait_at_once
            an_event_of_another_process_ends_the_wait_within_a_second
            a_server_that_stops_ends_the_wait
            what_happened_already_is_not_waited_for
            a_wait_for_nothing_ends_with_nothing
            a_place_that_nothing_has_yet_is_kept
            numbers_that_are_wrong_are_told_in_one_answer
        }
        notification_settings {
            secrets_are_shown_in_both_forms
            a_rotation_gives_a_new_secret_and_a_day_for_the_old_one
            an_overlap_is_as_long_as_asked
            an_overlap_that_is_over_is_shown_no_more
            an_inactive_setting_can_be_rotated_too
            unknown_and_malformed_ids_are_told_apart
        }
        verification {
            authorize {
                a_good_token_passes_and_it_is_told_whose_it_is
                a_live_token_is_told_as_live
                a_token_may_come_in_each_of_the_documented_places
                what_is_no_good_token_is_refused_with_a_code_of_its_own
                a_change_is_seen_by_the_next_check
                a_change_of_another_process_is_seen_within_100_ms
                an_origin_must_be_among_the_tokens_own
                a_client_address_is_believed_from_trusted_proxies_alone
                a_route_asks_for_a_scope
                a_token_ends_at_its_time_whether_written_down_or_not
                a_rate_limit_counts_each_address_for_itself
                what_is_only_reported_passes_and_is_named
                a_verdict_names_its_place_and_waits_for_the_one_asked_for
                parameters_that_are_wrong_are_told_in_one_answer
                what_was_let_in_and_refused_is_counted_by_hour_and_origin
            }
            client {
                a_page_learns_that_its_token_is_good_and_nothing_of_the_workspace
                a_refusal_says_why_and_can_be_read
                a_preflight_allows_the_tokens_headers
                a_revocation_ends_the_wait
                an_end_that_comes_by_itself_ends_the_wait
                a_wait_for_nothing_ends_with_the_same_answer
                a_server_that_stops_ends_the_wait
                parameters_that_are_wrong_are_told_and_can_be_read
            }
            introspect {
                a_good_token_is_active_and_what_is_known_is_told
                whatever_is_not_good_is_told_as_inactive_and_no_more
                circumstances_are_judged_when_they_are_named
                a_form_is_wanted_with_a_token_in_it
                fields_that_are_not_known_are_passed_over
            }
        }
    }
    assets {
        a_page_of_any_site_may_load_the_scripts
        the_library_may_be_new_soon_and_its_pinned_address_never_changes
        the_manifest_tells_the_hash_that_a_browser_checks
        another_versions_address_leads_nowhere
        who_has_a_file_is_told_so_and_gets_it_when_it_changed
        head_tells_what_get_would
    }
    health {
        a_server_that_runs_is_live_and_ready
        without_its_store_it_is_live_but_not_ready
    }
    openapi {
        the_server_gives_the_document_of_the_program
        every_endpoint_is_described_and_nothing_else
        every_schema_is_one_and_every_reference_leads_somewhere
        parameters_and_security_are_those_of_the_endpoint
        the_schemas_refuse_what_is_no_answer_of_ours
    }
    authentication {
        the_scheme_may_be_in_any_case
        a_header_that_is_absent_is_missing
        a_header_of_another_form_is_malformed
        a_key_that_is_not_ours_is_invalid
        a_live_key_sees_and_makes_live_things_only
        writing_implies_reading
        a_revoked_key_is_refused_at_once
        permissions_that_change_count_at_once
        a_key_that_another_process_revokes_is_refused_within_a_second
        a_key_that_another_process_makes_is_known_at_once
    }
    dashboard {
        client_tokens {
            an_empty_list_says_what_to_do_first
            pages_of_the_list_lead_to_one_another_and_keep_the_filter
            a_search_finds_tokens_by_name_by_id_and_by_the_token
            a_token_is_made_by_the_form_with_what_it_is_narrowed_to
            a_form_that_cannot_be_done_says_why_and_keeps_what_was_typed
            before_a_revocation_the_page_says_who_still_has_the_token
            a_token_is_revoked_now_or_later_or_kept
            a_successor_takes_over_and_the_old_token_ends_later
            what_was_only_reported_is_enforced_by_one_click
            a_viewer_sees_tokens_and_is_offered_nothing
        }
        destinations {
            a_destination_is_made_changed_switched_and_deleted_by_forms
            what_is_wrong_is_told_at_its_field_and_comes_back_as_it_was_typed
            the_secret_is_on_no_page_of_a_viewer
            a_new_secret_leaves_the_old_one_for_the_time_chosen
        }
        deliveries {
            deliveries_are_filtered_as_the_api_filters_them
            a_delivery_shows_its_attempts_in_words_and_what_was_sent
            long_answers_are_cut_and_offered_whole
            one_is_replayed_as_a_delivery_of_its_own
            all_that_failed_is_replayed_once
        }
        events {
            events_are_listed_by_type_and_those_of_the_audit_trail_are_not
            an_event_is_shown_laid_out_with_where_it_went_and_as_a_file
        }
        simulator {
            what_is_sent_is_shown_with_what_was_answered_and_is_the_apis_too
            a_wrong_payload_is_told_with_its_place_and_nothing_is_sent
            a_destination_is_tested_if_it_takes_simulated_events
        }
        account {
            a_password_is_changed_by_whoever_knows_it_and_ends_other_sessions
            a_session_elsewhere_is_ended_and_nobody_elses
            an_account_without_a_workspace_has_its_page
        }
        api_keys {
            the_secret_is_shown_once_and_opens_what_was_ticked_only
            a_form_that_is_wrong_makes_nothing_and_keeps_what_was_typed
            presets_tick_boxes_and_nothing_is_ticked_without_one
            a_key_is_edited_rotated_and_revoked_and_the_history_says_who_did_it
            keys_are_listed_by_status_and_page_by_page
        }
        audit {
            the_trail_says_who_did_what_and_is_filtered
            the_trail_goes_on_page_by_page
            the_file_has_what_the_filter_lets_through_and_no_formula
            a_viewer_finds_no_trail_and_a_store_that_fails_makes_no_file
        }
        settings {
            an_admin_renames_the_workspace_and_a_viewer_sees_no_form
            an_invitation_is_shown_once_listed_taken_or_withdrawn
            an_invitation_that_is_wrong_is_corrected_in_the_form
            a_link_that_cannot_be_mailed_is_handed_on
            members_are_managed_by_those_above_them
            whoever_leaves_was_asked_and_the_last_owner_stays
        }
        entrance {
            an_invitation_makes_an_account_that_signs_in_with_its_password
            a_one_time_link_works_once
            passwords_that_differ_or_are_short_are_refused_and_the_link_stays_good
            a_session_is_nothing_after_signing_out_here_or_everywhere
            somebody_who_guesses_has_to_wait
            the_forms_of_those_who_are_not_signed_in_have_the_rate_limit_of_the_api
            what_was_typed_is_shown_as_text
        }
        forms {
            a_form_must_come_from_a_page_of_this_host_if_the_browser_says_from_where
            a_body_that_is_no_form_is_refused
        }
        headers {
            pages_are_framed_nowhere_and_run_scripts_of_ours_only
            style_and_script_are_kept_for_good_under_names_of_their_bytes
            cookies_are_kept_to_encrypted_connections_off_loopback
        }
        openid {
            the_way_there_is_remembered_and_registered_as_it_is_reached
            what_the_provider_refuses_is_told_by_its_word
            without_what_was_remembered_nobody_is_signed_in
            what_goes_wrong_at_the_provider_is_for_the_log
        }
        passkeys {
            a_challenge_comes_with_its_state_in_a_cookie
            an_answer_without_a_challenge_or_of_no_sense_is_refused
            a_passkey_is_renamed_and_removed_by_its_person
            a_passkey_of_somebody_else_does_not_exist
            a_name_is_looked_at_before_the_device_is_asked
            whoever_has_no_other_way_in_is_warned
            as_many_as_there_can_be_are_enough
        }
        ways {
            what_is_switched_off_is_neither_offered_nor_done
            an_invitation_names_the_provider
            where_only_the_provider_signs_in_an_invitation_has_no_form
            whoever_joins_by_name_alone_is_signed_in_once
        }
        sweep {
            whoever_is_not_signed_in_is_led_to_the_entrance_and_changes_nothing
            a_form_without_the_sessions_proof_changes_nothing
            each_role_gets_exactly_what_it_comes_with
            a_viewer_changes_nothing_whatever_is_sent
            what_is_in_another_workspace_does_not_exist
        }
        workspaces {
            a_page_shows_the_workspace_that_was_looked_at_last
            another_workspace_in_the_cookie_is_passed_over
            whoever_is_a_member_of_nothing_is_told_so
        }
    }
    sweep {
        every_endpoint_has_its_row_and_every_row_its_endpoint
        nobody_gets_what_needs_a_key
        a_stranger_sees_and_changes_nothing_of_another_workspace
        each_permission_is_needed_and_no_other_stands_for_it
        every_single_permission_opens_exactly_what_it_should
        a_key_for_client_tokens_alone_is_forbidden_everything_else
    }
    order_of_checks {
        an_unknown_method_comes_before_all_else
        an_unknown_path_comes_before_its_method_and_everything_after
        a_method_that_a_path_lacks_comes_before_rate_and_credential
        the_rate_comes_before_the_credential
        the_credential_comes_before_the_permission_and_all_after
        the_permission_comes_before_what_the_request_says
        the_version_comes_before_what_the_body_says
        the_media_type_comes_before_size_and_json
        json_comes_before_ids_and_fields
        ids_and_fields_come_before_existence
        existence_comes_before_the_state
    }
    methods {
        a_method_that_a_path_lacks_is_told_what_is_allowed
        a_method_that_http_lacks_is_not_implemented
        head_is_get_without_its_body
        no_answer_lets_browsers_in_from_elsewhere
        targets_of_connect_and_options_star_lead_nowhere
    }
    paths {
        a_path_that_leads_nowhere_is_an_invalid_url
        slashes_at_the_beginning_count_as_one
        a_target_may_name_the_host_too
        a_query_may_hold_anything
    }
    versions {
        version_1_and_no_version_are_the_same
        another_version_is_refused_on_every_keyed_path
    }
    bodies {
        what_is_no_json_is_told_so
        json_may_be_spelled_in_every_way_it_allows
        a_body_must_be_called_json
        a_media_type_without_a_body_means_nothing
        a_body_of_a_mebibyte_is_read_and_one_byte_more_is_not
        a_body_that_is_announced_too_large_is_refused_unread
        a_body_where_none_belongs_is_not_looked_at
    }
    rate_limit {
        requests_past_the_limit_are_refused_with_the_seconds_to_wait
        requests_that_are_refused_for_their_credential_count
        each_address_has_a_limit_of_its_own
        behind_a_trusted_proxy_the_clients_address_counts
        an_ipv6_customer_has_one_limit_for_all_addresses
        another_machine_cannot_choose_its_address
        what_watches_the_server_is_not_limited
        zero_is_no_limit_and_240_the_default
    }
    connections {
        requests_that_follow_each_other_on_a_connection_are_answered_in_order
        every_request_has_an_id_of_its_own
        a_client_that_waits_for_leave_to_send_its_body_gets_it
        a_request_that_is_refused_before_its_body_came_leaves_the_connection_open
        http_2_is_spoken_too
        old_clients_that_name_no_host_are_answered
        what_is_no_http_ends_its_own_connection_only
        a_server_that_stops_finishes_what_it_began
        checks_and_other_requests_share_a_connection
        a_check_may_come_in_pieces_and_a_thousand_at_once
        a_head_that_is_too_long_or_broken_is_refused_as_any_other
    }
    failures {
        a_failing_store_is_an_internal_error_that_tells_nothing
        a_fault_of_the_program_is_an_internal_error_of_that_request_alone
    }
    random {
        random_requests_are_answered_as_described_and_never_with_500
        mutilated_requests_harm_nobody_but_their_sender
    }
}
