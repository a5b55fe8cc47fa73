//! What can be wrong with a profile.

use thiserror::Error;

use super::Profile;

/// Why a profile cannot be used. Names the file, the place in it and the way out.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProfileError {
    /// Nothing of that name is built in.
    #[error(
        "no profile is called {name:?}; there are {known}. A file of your own is named by its path, ending in .toml"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A file extends what is not built in.
    #[error("{file}: extends = {name:?}: only a profile that is built in can be extended: {known}")]
    UnknownBase {
        /// The file.
        file: String,
        /// What it extends.
        name: String,
        /// What there is.
        known: String,
    },
    /// The text is no TOML, has a key that no policy knows, or a value that is none of its kind.
    #[error("{file}: {message}")]
    Invalid {
        /// The file.
        file: String,
        /// Line, column, the text there, and what would be right.
        message: String,
    },
}

impl ProfileError {
    pub(super) fn unknown(name: &str) -> Self {
        ProfileError::Unknown {
            name: name.to_owned(),
            known: Profile::names().collect::<Vec<_>>().join(", "),
        }
    }

    pub(super) fn unknown_base(file: &str, name: &str) -> Self {
        ProfileError::UnknownBase {
            file: file.to_owned(),
            name: name.to_owned(),
            known: Profile::names().collect::<Vec<_>>().join(", "),
        }
    }

    pub(super) fn invalid(file: &str, error: impl ToString) -> Self {
        ProfileError::Invalid {
            file: file.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        }
    }
}
