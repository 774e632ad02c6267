//! The permission picker: what each permission lets a key do, in a sentence.

use tollgate_domain::permission::{Permission, PermissionSet};

/// What permissions are about, and what reading and writing it means.
struct Resource {
    name: &'static str,
    title: &'static str,
    read: &'static str,
    write: &'static str,
}

/// What Tollgate has, in the order of the picker. Writing includes reading.
const OURS: [Resource; 5] = [
    Resource {
        name: "client_token",
        title: "Client-side tokens",
        read: "See client-side tokens, their restrictions and their usage, and ask whether one is good.",
        write: "Create, change, rotate and revoke client-side tokens, and see them.",
    },
    Resource {
        name: "notification_setting",
        title: "Notification destinations",
        read: "See where events are sent, with the secrets that receivers check signatures with.",
        write: "Create, change and delete destinations and rotate their secrets, and see them.",
    },
    Resource {
        name: "notification",
        title: "Events and notifications",
        read: "See and follow events, what was sent of them, and what receivers answered.",
        write: "Send notifications once more, and see them.",
    },
    Resource {
        name: "notification_simulation",
        title: "Simulations",
        read: "See simulations and how their runs went.",
        write: "Make simulations and run them, which sends events to destinations, and see them.",
    },
    Resource {
        name: "api_key",
        title: "API keys",
        read: "See the names, permissions and last uses of all API keys, but never their secrets.",
        write: "",
    },
];

/// Permissions that belong together.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) choices: Vec<Choice>,
}

/// One permission, to be ticked.
pub(super) struct Choice {
    /// `client_token.read`
    pub(super) name: &'static str,
    /// `Read` or `Write`
    pub(super) label: &'static str,
    pub(super) text: String,
    pub(super) is_ticked: bool,
}

/// All that can be picked.
pub(super) struct Picker {
    /// What Tollgate has.
    pub(super) ours: Vec<Group>,
    /// What it only knows the names of, so that keys of the whole contract can be made.
    pub(super) others: Vec<Group>,
    /// Whether one of the others is ticked.
    pub(super) shows_others: bool,
}

/// The picker with these ticked.
pub(super) fn picker(ticked: PermissionSet) -> Picker {
    let others = groups(ticked, |resource| OURS.iter().all(|ours| ours.name != resource));
    let shows_others = others
        .iter()
        .any(|group| group.choices.iter().any(|choice| choice.is_ticked));
    let ours = OURS
        .iter()
        .flat_map(|ours| groups(ticked, |resource| resource == ours.name));
    Picker {
        ours: ours.collect(),
        others,
        shows_others,
    }
}

/// What a key holds, in groups.
pub(super) fn held(set: PermissionSet) -> Vec<Group> {
    let Picker { ours, others, .. } = picker(set);
    let mut groups: Vec<Group> = ours.into_iter().chain(others).collect();
    for group in &mut groups {
        group.choices.retain(|choice| choice.is_ticked);
    }
    groups.retain(|group| !group.choices.is_empty());
    groups
}

fn groups(ticked: PermissionSet, wanted: impl Fn(&str) -> bool) -> Vec<Group> {
    let mut groups: Vec<(&str, Group)> = Vec::new();
    for permission in Permission::all() {
        let (resource, _) = parts(permission);
        if !wanted(resource) {
            continue;
        }
        let choice = choice(permission, ticked.granted(permission));
        match groups.last_mut() {
            Some((name, group)) if *name == resource => group.choices.push(choice),
            _ => groups.push((
                resource,
                Group {
                    title: title(resource),
                    choices: vec![choice],
                },
            )),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn choice(permission: Permission, is_ticked: bool) -> Choice {
    let (resource, writes) = parts(permission);
    let known = OURS.iter().find(|ours| ours.name == resource);
    let text = match (known, writes) {
        (Some(known), true) => known.write.to_owned(),
        (Some(known), false) => known.read.to_owned(),
        (None, _) => "Opens nothing here: Tollgate only keeps it for programs that look for it.".to_owned(),
    };
    Choice {
        name: permission.name(),
        label: if writes { "Write" } else { "Read" },
        text,
        is_ticked,
    }
}

/// The resource, and whether it is to be written.
fn parts(permission: Permission) -> (&'static str, bool) {
    let (resource, action) = permission.name().split_once('.').unwrap_or((permission.name(), ""));
    (resource, action == "write")
}

fn title(resource: &str) -> String {
    if let Some(known) = OURS.iter().find(|ours| ours.name == resource) {
        return known.title.to_owned();
    }
    let words = resource.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Sets of permissions that are often wanted: the name in the address, the button's text, and what it is for.
pub(super) const PRESETS: [(&str, &str, &str); 2] = [
    (
        "integration",
        "Third-party integration: client-side tokens only",
        "For a service that makes and revokes client-side tokens for you, and needs to see nothing else.",
    ),
    (
        "read-only",
        "Read-only",
        "For a report or a monitor: sees everything in Tollgate, changes nothing.",
    ),
];

/// What a preset ticks; nothing for an unknown one.
pub(super) fn preset(name: &str) -> PermissionSet {
    match name {
        "integration" => [Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE]
            .into_iter()
            .collect(),
        "read-only" => Permission::all()
            .filter(|permission| {
                let (resource, writes) = parts(*permission);
                !writes && OURS.iter().any(|ours| ours.name == resource)
            })
            .collect(),
        _ => PermissionSet::NONE,
    }
}

/// A set in a few words: `Client-side tokens (write), API keys (read) and 2 more`.
pub(super) fn in_short(set: PermissionSet) -> String {
    if Permission::all().all(|permission| set.granted(permission)) {
        return "Everything".to_owned();
    }
    let groups = held(set);
    if groups.is_empty() {
        return "Nothing".to_owned();
    }
    let told: Vec<String> = groups
        .iter()
        .take(2)
        .map(|group| {
            let writes = group.choices.iter().any(|choice| choice.label == "Write");
            format!("{} ({})", group.title, if writes { "write" } else { "read" })
        })
        .collect();
    let told = told.join(", ");
    match groups.len().saturating_sub(2) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> PermissionSet {
        names.iter().map(|name| name.parse::<Permission>().unwrap()).collect()
    }

    #[test]
    fn every_permission_can_be_picked_once_and_is_explained_and_none_is_ticked_at_first() {
        let Picker {
            ours,
            others,
            shows_others,
        } = picker(PermissionSet::NONE);
        let choices: Vec<&Choice> = ours.iter().chain(&others).flat_map(|group| &group.choices).collect();
        let mut names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
        names.sort_unstable();
        let mut all: Vec<&str> = Permission::all().map(Permission::name).collect();
        all.sort_unstable();
        assert_eq!(names, all);
        assert!(
            choices
                .iter()
                .all(|choice| choice.text.ends_with('.') && !choice.is_ticked)
        );
        assert!(!shows_others);
        assert!(picker(set(&["price.read"])).shows_others);
    }

    #[test]
    fn presets_tick_what_they_say() {
        assert_eq!(
            preset("integration").names(),
            ["client_token.read", "client_token.write"]
        );
        let read_only = preset("read-only");
        assert_eq!(read_only.names().len(), OURS.len());
        assert!(
            read_only
                .names()
                .iter()
                .all(|name| name.split_once('.').is_some_and(|(_, action)| action == "read"))
        );
        assert!(preset("everything").names().is_empty());
    }

    #[test]
    fn a_set_is_told_in_short() {
        for (names, expected) in [
            (&[][..], "Nothing"),
            (&["client_token.read"], "Client-side tokens (read)"),
            (
                &["client_token.read", "client_token.write", "price.read"],
                "Client-side tokens (write), Price (read)",
            ),
            (
                &[
                    "api_key.read",
                    "notification.write",
                    "checkout_domain.read",
                    "price.read",
                ],
                "Events and notifications (write), API keys (read) and 2 more",
            ),
        ] {
            assert_eq!(in_short(set(names)), expected);
        }
        assert_eq!(in_short(PermissionSet::all()), "Everything");
    }
}
