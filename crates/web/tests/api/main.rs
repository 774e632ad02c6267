//! The API over a real socket, on both stores: the modules mirror the tree of URLs; what holds for every URL stands
//! beside them.
//!
//! A case is an async function that takes the [`Store`](support::Store) to run on. The list below names each once and
//! makes a test of it per store; a case that it lacks is dead code, and so doesn't pass the lints.
#![recursion_limit = "512"]

mod support;

mod client_tokens;
mod root;

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
}
