#pragma once
/// The office of a session that connects.

#include "jackalope/office.hpp"

namespace jackalope {

/// One that is stopped from the start if the options are not allowed.
tortoise::detail::Ref<Session::Office> make_office(SessionOptions, tortoise::Runtime);

/// An office of the same connection that does not own it, for what a handler is given.
tortoise::detail::Ref<Session::Office> office_of(const tortoise::Connection&);

} // namespace jackalope
