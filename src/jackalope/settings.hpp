#pragma once
/// What a session's options mean to its connection.

#include <jackalope/session.hpp>

namespace jackalope {

/// The error is Errc::invalid_option: it names an option that was given twice, or that makes no sense.
tortoise::Result<tortoise::ConnectionOptions> connection_options(SessionOptions);

} // namespace jackalope
